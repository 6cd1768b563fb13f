//! The report.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use qmail_core::queue::{Channel, QueueId};
use qmail_send::channels::PerChannel;
use qmail_send::schedule::Scheduler;

use crate::Scale;
use crate::history::{Delays, History, Hour};
use crate::plot::{self, Line, plot};

/// Writes `README.md` and its plots.
pub(crate) fn write(
    scale: Scale,
    history: &History,
    took: Duration,
    directory: &Path,
) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let hours = history.hours();
    for (name, picture) in pictures(scale, hours) {
        create(&directory.join(format!("{name}.svg")), &picture)?;
    }
    create(&directory.join("README.md"), &text(scale, history, took))
}

fn create(path: &Path, text: &str) -> io::Result<()> {
    File::create(path)?.write_all(text.as_bytes())
}

fn pictures(scale: Scale, hours: &[Hour]) -> Vec<(&'static str, String)> {
    let line =
        |name, of: &dyn Fn(&Hour) -> f64| Line { name, values: hours.iter().map(of).collect() };
    let (linear, logarithmic) = (plot::Scale::Linear, plot::Scale::Logarithmic);
    vec![
        (
            "traffic",
            plot(
                "Traffic",
                "an hour",
                linear,
                &[
                    line("messages that arrive", &|hour| number(hour.arrived)),
                    line("attempts", &|hour| number(hour.attempts)),
                    line("of these again", &|hour| number(hour.retries)),
                ],
            ),
        ),
        (
            "queue",
            plot(
                "Queue",
                "messages",
                linear,
                &[line("queued", &|hour| number(hour.queued as u64))],
            ),
        ),
        (
            "places",
            plot("Places", &format!("of {}", scale.places), linear, &[line("taken", &Hour::taken)]),
        ),
        (
            "delay",
            plot(
                "Delay of first attempts at servers that are up",
                "seconds",
                logarithmic,
                &[
                    line("median", &|hour| number(hour.first.below(500))),
                    line("99 of 100", &|hour| number(hour.first.below(990))),
                    line("longest", &|hour| number(hour.first.most())),
                ],
            ),
        ),
        (
            "lateness",
            plot(
                "Lateness of further attempts",
                "seconds",
                logarithmic,
                &[
                    line("median", &|hour| number(hour.again.below(500))),
                    line("99 of 100", &|hour| number(hour.again.below(990))),
                    line("longest", &|hour| number(hour.again.most())),
                ],
            ),
        ),
    ]
}

fn text(scale: Scale, history: &History, took: Duration) -> String {
    let (totals, resident) = (history.totals(), memory("VmHWM:"));
    let all = |of: fn(&Hour) -> &Delays| {
        history.hours().iter().fold(Delays::default(), |sum, hour| sum.with(of(hour)))
    };
    let (first, again) = (all(|hour| &hour.first), all(|hour| &hour.again));
    let row = |name: &str, delays: &Delays| {
        let [median, most, nearly] = [500, 990, 999].map(|part| delays.below(part));
        format!("| {name} | {median} | {most} | {nearly} | {} |\n", delays.most())
    };
    format!(
        "{INTRODUCTION}\n\
         | | |\n| --- | ---: |\n\
         | messages that arrived | {arrived} |\n\
         | destinations | {destinations} |\n\
         | days in which they arrived | {days} |\n\
         | places for deliveries | {places} |\n\
         | attempts | {attempts} |\n\
         | attempts for each message | {each:.2} |\n\
         | delivered | {delivered} |\n\
         | returned to their senders | {failed} |\n\
         | most attempts at one message | {most_attempts} |\n\
         | longest queue | {queued} |\n\
         | memory of the scheduler for each of a million messages | {each_waits:.0} bytes |\n\
         | memory of the whole simulation at most, the model's included | {resident:.0} MiB |\n\
         | time that the simulation took | {seconds} s |\n\n\
         Seconds after they were due that attempts began:\n\n\
         | | median | 99 of 100 | 999 of 1000 | longest |\n\
         | --- | ---: | ---: | ---: | ---: |\n{rows}\n{PICTURES}",
        arrived = totals.arrived,
        destinations = scale.destinations,
        days = scale.days,
        places = scale.places,
        attempts = totals.attempts,
        each = number(totals.attempts) / number(totals.arrived.max(1)),
        delivered = totals.delivered,
        failed = totals.failed,
        most_attempts = totals.most_attempts,
        queued = totals.queued,
        each_waits = bytes_of_each(),
        resident = resident / 1024.0,
        seconds = took.as_secs(),
        rows =
            row("first, at servers that are up", &first) + &row("further, at all servers", &again),
    )
}

/// What a message that waits takes in the scheduler.
fn bytes_of_each() -> f64 {
    const MESSAGES: u64 = 1_000_000;
    let before = memory("VmRSS:");
    let mut scheduler = Scheduler::<()>::new(0, PerChannel::default());
    for number in 0..MESSAGES {
        scheduler.add(Channel::Remote, QueueId::new(number), number);
    }
    let more = memory("VmRSS:") - before;
    drop(scheduler);
    more * 1024.0 / number(MESSAGES)
}

/// Memory of this process, in KiB.
fn memory(field: &str) -> f64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(field));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.trim().parse().ok()).unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 messages")]
fn number(count: u64) -> f64 {
    count as f64
}

const INTRODUCTION: &str = "\
# A week of a large site

Written by `make simulation`. qmail-send's scheduler, the very code that runs there
(`qmail-send/src/schedule.rs`), decides what is tried when; the clock is simulated, and so are the
other servers:

- A few destinations have most of the mail (Zipf's law), and there is more of it by day than by
  night. Every message has one recipient elsewhere.
- A delivery takes 0.1 to a few seconds. Every fiftieth address does not exist. Every tenth server
  wants every message twice (greylisting).
- Every hundredth server is never up; each of the others fails every ten days, for three hours on
  average. Half of them refuse connections then; to the others each attempt waits a minute, until
  the table of time-outs (qmail-tcpto) spares the next ones that.
- The largest destination does not answer from 8 to 20 o'clock on the third day.

With all this the queue has to stay short, nobody may wait because others cannot be reached, and
nobody may be forgotten.
";

const PICTURES: &str = "\
A message whose server is down is tried again at the squares of 20, 40, 60, … seconds (qmail-send),
40 times in a week at most.

![messages that arrive, and attempts, by hour](traffic.svg)

![length of the queue by hour](queue.svg)

![places taken by hour](places.svg)

![delay of first attempts by hour](delay.svg)

![lateness of further attempts by hour](lateness.svg)
";
