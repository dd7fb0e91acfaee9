//! An executor that leaves the process in all but name: it sees only the job as text and bytes.

use crate::REGISTRY;
use std::sync::Arc;
use windfall_core::remote::{Held, Order, Packer, Worker, deliver, read_failure, unpack};
use windfall_core::{Capabilities, Carries, Error, Executor, Result, Sink, Source, Work};

/// How many orders a job is cut into.
const ORDERS: u64 = 5;

/// Writes orders, tables and partials down and reads them back: what every executor on another
/// machine does, without the other machine.
#[derive(Debug)]
pub struct Wire<'a> {
    packer: Packer<'a, Held>,
    worker: Worker,
}

impl<'a> Wire<'a> {
    /// Jobs find their data in `source`.
    pub fn new(source: &'a (dyn Source + Sync)) -> Self {
        Self { packer: Packer::new(&*REGISTRY, source), worker: Worker::new(&*REGISTRY) }
    }
}

impl Executor for Wire<'_> {
    fn capabilities(&self) -> Capabilities {
        Capabilities { name: "wire".into(), workers: 1, carries: Carries::Specs }
    }

    fn run(&self, work: &dyn Work, sink: &dyn Sink, tick: &mut dyn FnMut()) -> Result<()> {
        let spec = work.spec().ok_or_else(|| Error::wire("a job without a spec"))?;
        let parcel = self.packer.of((work, spec), |packed| Ok(Arc::new(packed)))?;
        let (tables, held) = parcel.map(|parcel| (parcel.name, parcel.body)).unzip();
        for shards in work.shards().cut(ORDERS) {
            if work.cancel().is_stopped() {
                break;
            }
            let order = Order { job: spec.to_json(), shards, tables: tables.clone() };
            let given = |_: &str| unpack(held.as_ref().ok_or_else(|| Error::wire("no tables"))?);
            match self.worker.run(&order.to_bytes(), given) {
                Ok(reply) => deliver(&reply, sink).map_err(|(_, error)| error)?,
                Err(failure) => {
                    let failed = read_failure(&failure, "the wire");
                    return Err(
                        failed.map_or_else(|| Error::wire("no failure"), |(_, error)| error)
                    );
                }
            }
            tick();
        }
        Ok(())
    }
}
