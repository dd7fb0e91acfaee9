//! Lay out the statistic of rearranged data, with that of the data and its p-value.

use super::Drawer;
use super::font::Font;
use super::panel::{HEIGHT, Panel, WIDTH};
use super::scene::Scene;
use crate::readable::{significant, with_error};
use serde_json::Value;
use windfall_core::{Answer, Quantity};

/// A histogram a quantity, one below the other.
pub(super) const DRAWER: Drawer = Drawer {
    serves: |answer| answer.problem == "permutation" && !answer.distribution.is_empty(),
    draw,
};

fn draw(answer: &Answer, font: &Font) -> Scene {
    let mut scene = Scene { width: WIDTH, height: 0.0, shapes: Vec::new() };
    for (place, values) in answer.distribution.iter().enumerate() {
        let quantity = &shown(answer, place);
        let panel = Panel { answer, quantity, values, top: scene.height, font };
        scene.shapes.extend(panel.shapes());
        scene.height += HEIGHT;
    }
    scene
}

/// The quantity at `place` as it is drawn: the statistic of the data, the p-value in its name.
fn shown(answer: &Answer, place: usize) -> Quantity {
    let Quantity { name, estimate, mcse, .. } = &answer.quantities[place];
    let p = match *mcse {
        0.0 => significant(*estimate, 4),
        error => {
            let (value, error) = with_error(*estimate, error);
            format!("{value} ± {error}")
        }
    };
    let statistic = match answer.extra.get("statistic") {
        Some(Value::Array(list)) => list.get(place).and_then(Value::as_f64),
        one => one.and_then(Value::as_f64),
    };
    Quantity::new(format!("{name}: p = {p}"), statistic.unwrap_or(f64::NAN), 0.0)
}
