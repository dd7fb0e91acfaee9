//! Related samples: the table with each row in every order of its values.

use super::design::{Design, Kind};
use windfall_core::{Column, Error, Labels, Result, Table};

/// The most related samples: 720 orders of each row.
const SAMPLES_MAX: usize = 6;

/// The table with each row in every order of the values of `samples`, one order after the other,
/// the order of the data first; of one sample, with either sign. Also the number of orders.
pub(super) fn in_every_order(table: &Table, samples: &[String]) -> Result<(Table, u32)> {
    let count = samples.len();
    if count == 0 {
        return Err(Error::too_few("samples", 0, 1));
    }
    if count > SAMPLES_MAX {
        let expected = format!("at most {SAMPLES_MAX} related samples");
        return Err(Error::invalid("samples", count, &expected));
    }
    samples.iter().try_for_each(|name| table.numbers(name).map(drop))?;
    let orders = orders_of(count);
    let orders_count = if count == 1 { 2 } else { orders.len() };
    if table.rows().checked_mul(orders_count).is_none_or(|rows| u32::try_from(rows).is_err()) {
        return Err(Error::invalid("rows", table.rows(), "fewer for so many related samples"));
    }
    let laid_out = |(name, column): (&str, &Column)| {
        let place = samples.iter().position(|sample| sample == name);
        let column = match (column, place) {
            (Column::Labels(labels), _) => {
                let rows: Vec<&str> = labels.rows().collect();
                Column::Labels(Labels::new(rows.repeat(orders_count)))
            }
            (Column::Numbers(numbers), Some(_)) if count == 1 => {
                let values = numbers.as_slice().iter();
                let both: Vec<f64> = values.clone().copied().chain(values.map(|x| -x)).collect();
                Column::Numbers(both.into())
            }
            (Column::Numbers(_), Some(place)) => {
                let mut values = Vec::with_capacity(table.rows() * orders_count);
                for order in &orders {
                    values.extend_from_slice(table.numbers(&samples[order[place]])?);
                }
                Column::Numbers(values.into())
            }
            (Column::Numbers(numbers), None) => {
                Column::Numbers(numbers.as_slice().repeat(orders_count).into())
            }
        };
        Ok((name.to_owned(), column))
    };
    let pool = Table::new(table.columns().map(laid_out).collect::<Result<_>>()?)?;
    Ok((pool, orders_count as u32))
}

/// Every order of `0..count`, ascending.
fn orders_of(count: usize) -> Vec<Vec<usize>> {
    let design = Design::new(Kind::Pairings, count, None);
    let mut cursor = design.starting_at(0);
    let mut order = vec![0; count];
    let next = |_| {
        cursor.next(&mut order);
        order.iter().map(|&place| place as usize).collect()
    };
    (0..design.count().unwrap_or(0)).map(next).collect()
}
