//! The ranks that serve: hear of a job, run the shards that they get, send their partials.

use crate::talk::{END, FAILURE, Header, ORDER, Pause, REPLY, answer, broadcast, split, take};
use crate::{World, fixed};
use mpi::Tag;
use mpi::topology::SimpleCommunicator;
use mpi::traits::Communicator;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{TryRecvError, channel};
use std::thread;
use windfall_core::remote::{Held, Order, Worker, unpack};
use windfall_core::{Error, Registry, Result, Stopwatch};

impl World {
    /// On a rank other than 0: serves until rank 0 dismisses it.
    ///
    /// # Errors
    /// [`windfall_core::ErrorKind::Wire`] if what it hears makes no sense; the rank should then
    /// [abort](World::abort). What a task reports goes to rank 0.
    pub fn serve(&self, registry: &'static Registry) -> Result<()> {
        let mut server = Server { comm: self.comm(), worker: Worker::new(registry), held: None };
        loop {
            let mut header = [0; Header::BYTES];
            server.hear(&mut header);
            let Header { kind, run, order, tables } = Header::from_bytes(&header);
            if kind == Header::LEAVE {
                return Ok(());
            }
            let mut bytes = vec![0; order as usize];
            server.hear(&mut bytes);
            if tables > 0 {
                let mut packed = vec![0; tables as usize];
                server.hear(&mut packed);
                server.held = Some(Arc::new(packed));
            }
            let order = Order::from_bytes(&bytes)?;
            match kind {
                Header::DYNAMIC => server.obey(run, &order)?,
                Header::STATIC => fixed::serve(self, &mut server, run, &order)?,
                _ => return Err(Error::wire(format!("a header of kind {kind}"))),
            }
        }
    }
}

/// What a rank keeps from job to job.
pub(crate) struct Server {
    pub comm: SimpleCommunicator,
    worker: Worker,
    /// The last tables.
    held: Option<Held>,
}

impl Server {
    /// Waits for what rank 0 gives to all.
    fn hear(&self, bytes: &mut [u8]) {
        let mut pause = Pause::default();
        broadcast(&self.comm, bytes, || pause.rest());
    }

    /// Runs the shards of `order` on this thread.
    pub(crate) fn run(&mut self, order: &Order) -> Result<Vec<u8>, Vec<u8>> {
        run_shards(&mut self.worker, &self.held, order)
    }

    /// Does what rank 0 orders until the run ends: here it is talked, a thread runs shards.
    fn obey(&mut self, run: u64, order: &Order) -> Result<()> {
        let Self { comm, worker, held } = self;
        let (is_over, comm) = (AtomicBool::new(false), &*comm);
        let (give, given) = channel::<Order>();
        let (reply, replies) = channel();
        thread::scope(|scope| {
            let run_orders = || {
                let reply = reply;
                for order in given {
                    let is_over = is_over.load(Ordering::Relaxed);
                    let done =
                        if is_over { Ok(Vec::new()) } else { run_order(worker, held, &order) };
                    if reply.send(done).is_err() {
                        return;
                    }
                }
            };
            let name = "windfall-rank".to_owned();
            let started = thread::Builder::new().name(name).spawn_scoped(scope, run_orders);
            started.map_err(|error| Error::io("a thread", error))?;
            let (mut unanswered, mut pause) = (0, Pause::default());
            while unanswered > 0 || !is_over.load(Ordering::Relaxed) {
                if let Some((_, tag, bytes)) = take(&comm.process_at_rank(0)) {
                    match (tag, split(&bytes)?) {
                        (END, (of_run, _)) if of_run == run => {
                            is_over.store(true, Ordering::Relaxed)
                        }
                        (ORDER, (of_run, shards)) if of_run == run => {
                            let shards = String::from_utf8_lossy(shards).parse()?;
                            unanswered += 1;
                            // A thread that is gone has taken its end of the replies with it.
                            let _ = give.send(Order { shards, ..order.clone() });
                        }
                        (tag, (of_run, _)) => return Err(unasked(tag, of_run, run)),
                    }
                    pause.end();
                }
                match replies.try_recv() {
                    Ok(done) => {
                        unanswered -= 1;
                        pause.end();
                        let (tag, body) = match done {
                            Ok(reply) => (REPLY, reply),
                            Err(failure) => (FAILURE, failure),
                        };
                        answer(comm, tag, run, &body)?;
                    }
                    Err(TryRecvError::Empty) => pause.rest(),
                    Err(TryRecvError::Disconnected) => return Err(Error::wire("a thread is gone")),
                }
            }
            drop(give);
            Ok(())
        })
    }

    /// Tells rank 0 something of a run.
    pub(crate) fn tell(&self, run: u64, tag: Tag, body: &[u8]) -> Result<()> {
        answer(&self.comm, tag, run, body)
    }
}

/// What is said when rank 0 speaks of another run.
pub(crate) fn unasked(tag: Tag, of_run: u64, run: u64) -> Error {
    Error::wire(format!("tag {tag} of run {of_run} in run {run}"))
}

fn run_shards(worker: &mut Worker, held: &Option<Held>, order: &Order) -> Result<Vec<u8>, Vec<u8>> {
    worker.obey(order, |_| {
        let held = held.as_ref();
        unpack(held.ok_or_else(|| Error::wire("an order for shards without its tables"))?)
    })
}

/// The reply to an order: how many shards, microseconds that they took, partials.
fn run_order(worker: &mut Worker, held: &Option<Held>, order: &Order) -> Result<Vec<u8>, Vec<u8>> {
    let watch = Stopwatch::start();
    let partials = run_shards(worker, held, order)?;
    let micros = (watch.elapsed_s() * 1e6) as u64;
    let head = [order.shards.len(), micros].map(u64::to_le_bytes).concat();
    Ok([head, partials].concat())
}
