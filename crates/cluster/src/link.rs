//! The end of a client or an engine: sends are gathered, waiting reads, and a minder looks after
//! the socket while its owner is busy.
//!
//! Whoever waits reads the socket itself: a message costs one wake-up. While an engine runs a long
//! task nobody waits; then a thread, which needs no interpreter, sends what was left behind and
//! takes what comes, so that tasks can be given back and the end of the controller is seen.

use crate::message::{ClientId, Message, Payload, Status};
use crate::os;
use crate::watch::Watch;
use crate::wire::{Inbox, Outbox, Read};
use rustix::event::{PollFd, PollFlags};
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{Mode, OFlags};
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use windfall_core::{Error, Result, now_us};

/// How long a message may wait for company before it is sent, in microseconds.
const GATHER_US: u64 = 300;
/// Bytes that are sent without waiting for more.
const GATHER_BYTES: usize = 32 * 1024;
/// How often the minder looks while there is activity, in milliseconds.
const TICK_MS: u64 = 2;
/// How long it goes on looking after the last activity, in ticks.
const TICKS_IDLE: u32 = 25;
/// How long the owner must have been away before the minder reads in its place, in microseconds.
const AWAY_US: u64 = 4_000;

/// How long a wait goes on until its caller may look for a signal that came just before it, in
/// microseconds.
const LOOK_US: u64 = 1_000_000;

/// How long the controller may take for its first word, in microseconds.
const WELCOME_US: u64 = 5_000_000;

/// Why waiting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// At least one message is there.
    Messages,
    /// The time is up.
    TimedOut,
    /// A signal came, or may have come: look at it and wait again.
    Signal,
    /// The other end is gone.
    End,
}

/// One end of a connection, shared with its minder.
#[derive(Debug)]
pub struct Link {
    shared: Arc<Shared>,
    /// The process that made it: a forked child's copy must not end the connection.
    process: u32,
}

#[derive(Debug)]
struct Shared {
    fd: OwnedFd,
    out: Mutex<Out>,
    inn: Mutex<In>,
    /// When the owner last came back from waiting; 0 while it waits.
    away_since_us: AtomicU64,
    /// Whether the owner said that it goes away to work.
    is_working: AtomicBool,
    has_ended: AtomicBool,
    watch: Watch,
    minder: Mutex<Minder>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Out {
    outbox: Outbox,
    flushed_us: u64,
}

#[derive(Debug, Default)]
struct In {
    inbox: Inbox,
    messages: VecDeque<Message>,
    /// Why nothing more comes.
    reason: Option<String>,
}

#[derive(Debug, Default)]
struct Minder {
    is_parked: bool,
    is_closed: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    /// A link over a connected socket, with its minder.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn new(fd: OwnedFd) -> std::io::Result<Self> {
        os::unblock(fd.as_fd())?;
        let shared = Arc::new(Shared {
            fd,
            out: Mutex::default(),
            inn: Mutex::default(),
            away_since_us: AtomicU64::new(0),
            is_working: AtomicBool::new(false),
            has_ended: AtomicBool::new(false),
            watch: Watch::default(),
            minder: Mutex::default(),
            wake: Condvar::new(),
        });
        let minded = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("windfall-link".into());
        thread.stack_size(128 * 1024).spawn(move || minded.mind())?;
        Ok(Self { shared, process: std::process::id() })
    }

    /// Adds a message; it is sent at once if the last sending is long enough ago, and otherwise
    /// with those that follow within a few milliseconds.
    pub fn send(&self, message: &Message) {
        let mut out = lock(&self.shared.out);
        out.outbox.push(message);
        let now = now_us();
        if now.saturating_sub(out.flushed_us) >= GATHER_US
            || out.outbox.waiting_bytes() >= GATHER_BYTES
        {
            self.shared.flush(&mut out, now);
        }
        if out.outbox.waiting_bytes() > 0 {
            drop(out);
            self.shared.rouse();
        }
    }

    /// Adds a message that can wait until the next is sent or its sender waits.
    pub fn gather(&self, message: &Message) {
        let mut out = lock(&self.shared.out);
        out.outbox.push(message);
        if out.outbox.waiting_bytes() >= GATHER_BYTES {
            self.shared.flush(&mut out, now_us());
        }
    }

    /// Sends what waits; true if nothing is left.
    pub fn flush(&self) -> bool {
        self.shared.flush(&mut lock(&self.shared.out), now_us())
    }

    /// Sends what waits if the last sending is long enough ago.
    pub fn flush_if_due(&self) {
        let mut out = lock(&self.shared.out);
        let now = now_us();
        if out.outbox.waiting_bytes() > 0 && now.saturating_sub(out.flushed_us) >= GATHER_US {
            self.shared.flush(&mut out, now);
        }
    }

    /// The next message that is already here.
    pub fn take(&self) -> Option<Message> {
        lock(&self.shared.inn).messages.pop_front()
    }

    /// All messages that are already here.
    pub fn take_all(&self) -> VecDeque<Message> {
        std::mem::take(&mut lock(&self.shared.inn).messages)
    }

    /// Why nothing more comes, once the other end is gone.
    pub fn reason(&self) -> String {
        let reason = lock(&self.shared.inn).reason.clone();
        reason.unwrap_or_else(|| "its process has ended".into())
    }

    /// Sends what waits and waits for messages, at most so many microseconds. It may come back
    /// earlier, to look for signals: who wants a limit to it all keeps that limit.
    pub fn wait(&self, timeout_us: Option<u64>) -> Wait {
        let shared = &*self.shared;
        shared.away_since_us.store(0, Ordering::Release);
        shared.is_working.store(false, Ordering::Release);
        let wait = shared.wait(timeout_us);
        shared.away_since_us.store(now_us(), Ordering::Release);
        wait
    }

    /// The number that the controller gives with its first word, if that comes in time. `what` says
    /// whose version it has.
    fn welcome(&self, what: &str) -> Result<Option<u32>> {
        let until = now_us() + WELCOME_US;
        while self.wait(Some(until.saturating_sub(now_us()))) == Wait::Signal {}
        match self.take() {
            Some(Message::Welcome { id, version }) => version.same(what).map(|()| Some(id)),
            _ => Ok(None),
        }
    }

    /// Tells the minder that its owner goes away to work, until it waits again.
    pub fn work(&self) {
        self.shared.is_working.store(true, Ordering::Release);
        self.shared.rouse();
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        if self.process != std::process::id() {
            return;
        }
        lock(&self.shared.minder).is_closed = true;
        self.shared.wake.notify_all();
        let _ = rustix::net::shutdown(&self.shared.fd, rustix::net::Shutdown::Both);
    }
}

impl Shared {
    fn flush(&self, out: &mut Out, now: u64) -> bool {
        out.flushed_us = now;
        out.outbox.flush(self.fd.as_fd()).unwrap_or_else(|_| {
            // What cannot be sent any more is dropped; the reader learns why.
            out.outbox = Outbox::default();
            self.has_ended.store(true, Ordering::Release);
            true
        })
    }

    /// Reads until nothing is there; false at the end.
    fn read(&self, inn: &mut In) -> bool {
        loop {
            let read = inn.inbox.read(self.fd.as_fd());
            loop {
                match inn.inbox.take() {
                    Ok(Some(message)) => self.receive(inn, message),
                    Ok(None) => break,
                    Err(error) => {
                        inn.reason = Some(error.to_string());
                        return self.end();
                    }
                }
            }
            match read {
                Read::Some if inn.messages.is_empty() => {}
                Read::Some | Read::Nothing => return true,
                Read::End => return self.end(),
            }
        }
    }

    fn end(&self) -> bool {
        self.has_ended.store(true, Ordering::Release);
        false
    }

    /// Keeps a message, or acts on what concerns those that are kept.
    fn receive(&self, inn: &mut In, message: Message) {
        match message {
            Message::Abort { tasks } => {
                self.give_up(inn, Status::Aborted, |task| tasks.contains(&task))
            }
            Message::Recall => self.give_up(inn, Status::Returned, |_| true),
            message => inn.messages.push_back(message),
        }
    }

    /// Ends tasks that have not begun.
    fn give_up(&self, inn: &mut In, status: Status, is_meant: impl Fn(u64) -> bool) {
        let (mut out, now) = (lock(&self.out), now_us());
        inn.messages.retain(|message| match message {
            Message::Run { task, .. } if is_meant(*task) => {
                let payload = Payload::default();
                let (started_us, ended_us) = (now, now);
                out.outbox.push(&Message::Done {
                    task: *task,
                    status,
                    started_us,
                    ended_us,
                    payload,
                });
                false
            }
            _ => true,
        });
        self.flush(&mut out, now);
    }

    fn wait(&self, timeout_us: Option<u64>) -> Wait {
        let deadline = timeout_us.map(|timeout| now_us().saturating_add(timeout));
        loop {
            let is_sent = self.flush(&mut lock(&self.out), now_us());
            {
                let mut inn = lock(&self.inn);
                let goes_on = self.read(&mut inn);
                if !inn.messages.is_empty() {
                    return Wait::Messages;
                }
                if !goes_on || self.has_ended.load(Ordering::Acquire) {
                    return Wait::End;
                }
            }
            let left = deadline.map(|deadline| deadline.saturating_sub(now_us()));
            if left == Some(0) {
                return Wait::TimedOut;
            }
            let flags = if is_sent { PollFlags::IN } else { PollFlags::IN | PollFlags::OUT };
            let limit = left.map_or(LOOK_US, |left| left.min(LOOK_US));
            let ready = self.watch.poll(&mut [PollFd::new(&self.fd, flags)], Some(limit));
            let may_be_signal = ready == Ok(0) && limit == LOOK_US;
            if may_be_signal || ready == Err(rustix::io::Errno::INTR) {
                return Wait::Signal;
            }
        }
    }

    /// Wakes the minder if it sleeps.
    fn rouse(&self) {
        let mut minder = lock(&self.minder);
        if minder.is_parked {
            minder.is_parked = false;
            self.wake.notify_all();
        }
    }

    /// The minder's life.
    fn mind(&self) {
        let mut idle = 0;
        loop {
            let mut minder = lock(&self.minder);
            minder.is_parked = idle > TICKS_IDLE;
            while minder.is_parked && !minder.is_closed {
                minder = self.wake.wait(minder).unwrap_or_else(PoisonError::into_inner);
                idle = 0;
            }
            if minder.is_closed {
                return;
            }
            drop(minder);
            std::thread::sleep(Duration::from_millis(TICK_MS));
            let (is_active, goes_on) = self.look();
            if !goes_on {
                return;
            }
            idle = if is_active { 0 } else { idle + 1 };
        }
    }

    /// Sends what was left, and reads if nobody else does: whether there was anything, and whether
    /// there may be more.
    fn look(&self) -> (bool, bool) {
        let now = now_us();
        let mut is_active = false;
        if let Ok(mut out) = self.out.try_lock()
            && out.outbox.waiting_bytes() > 0
        {
            is_active = true;
            self.flush(&mut out, now);
        }
        let away_since = self.away_since_us.load(Ordering::Acquire);
        if away_since != 0 {
            is_active |= self.is_working.load(Ordering::Acquire);
            if now.saturating_sub(away_since) > AWAY_US
                && let Ok(mut inn) = self.inn.try_lock()
            {
                let before = inn.messages.len();
                let goes_on = self.read(&mut inn);
                return (is_active || inn.messages.len() > before, goes_on);
            }
        }
        (is_active, true)
    }
}

/// Connects a client to the cluster of that name; with the client's number.
///
/// # Errors
/// [`windfall_core::ErrorKind::Io`] if there is none or its controller is silent,
/// [`windfall_core::ErrorKind::Invalid`] if it is of another version of Windfall.
pub fn connect(name: &str) -> Result<(Link, ClientId)> {
    enter(name, false, None)
}

/// Connects the owner of the cluster of that name, which ends with this connection. If the process
/// that its owner started as its controller is given, the name must not be another's.
///
/// # Errors
/// As [`connect`].
pub fn own(name: &str, controller: Option<u32>) -> Result<(Link, ClientId)> {
    enter(name, true, controller)
}

fn enter(name: &str, is_owner: bool, controller: Option<u32>) -> Result<(Link, ClientId)> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::io(format!("cluster {name}"), error)
            .hint("`windfall start` starts one; `windfall status` lists those that run")
    };
    let fd = os::connect(name).map_err(|error| failed(&error))?;
    if let Some(expected) = controller
        && let Some(found) = os::listener(fd.as_fd()).map_err(|error| failed(&error))?
        && expected != found
    {
        return Err(failed(&format!("its controller is process {found}, not {expected}")));
    }
    let link = Link::new(fd).map_err(|error| failed(&error))?;
    link.send(&Message::hello(is_owner));
    let silent = || Error::io(format!("cluster {name}"), "the controller does not answer");
    let client = link.welcome(&format!("version of cluster {name}"))?.ok_or_else(silent)?;
    Ok((link, client))
}

/// The link of an engine: over its standard input, which is left empty; with the engine's number.
///
/// # Errors
/// [`windfall_core::ErrorKind::Io`] if standard input is not a controller's socket,
/// [`windfall_core::ErrorKind::Invalid`] if that is of another version of Windfall.
pub fn engine_link() -> Result<(Link, u32)> {
    let failed = |error: &dyn std::fmt::Display| {
        Error::io("standard input", error)
            .hint("engines are started by `windfall start` or `windfall.Cluster`")
    };
    let parent = rustix::process::getppid().map_or(0, |pid| pid.as_raw_nonzero().get());
    let fd = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdin(), 3);
    let fd = fd.map_err(|error| failed(&error))?;
    let null = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    let null = null.map_err(|error| failed(&error))?;
    rustix::stdio::dup2_stdin(null).map_err(|error| failed(&error))?;
    if !os::die_with_parent(parent as u32).map_err(|error| failed(&error))? {
        return Err(failed(&"the controller is gone"));
    }
    let link = Link::new(fd).map_err(|error| failed(&error))?;
    match link.welcome("version of the controller")? {
        Some(id) => Ok((link, id)),
        None => Err(failed(&"no controller speaks there")),
    }
}
