use super::*;
use Channel::{Local, Remote};

const NOW: Time = 1_800_000_000;
const LIFETIME: u64 = 604_800;

fn scheduler(local: DeliveryNumber, remote: DeliveryNumber) -> Scheduler<&'static str> {
    Scheduler::new(LIFETIME, PerChannel { local, remote })
}

fn id(number: u64) -> QueueId {
    QueueId::new(number)
}

/// Opens the pass of the next message, which was born `NOW`.
fn open(scheduler: &mut Scheduler<&'static str>, channel: Channel, now: Time) -> Option<QueueId> {
    let id = scheduler.take_message(channel, now)?;
    scheduler.open(channel, id, NOW, now, "payload");
    Some(id)
}

fn start(scheduler: &mut Scheduler<&'static str>, channel: Channel) -> Started {
    scheduler.start(channel, 0, b"a@b".to_vec()).unwrap()
}

#[test]
fn a_message_whose_recipients_all_have_their_verdict_is_exhausted() {
    let mut scheduler = scheduler(2, 0);
    scheduler.add(Local, id(7), NOW);
    assert_eq!(open(&mut scheduler, Local, NOW), Some(id(7)));
    let (first, second) = (start(&mut scheduler, Local), start(&mut scheduler, Local));
    assert_eq!((first.number, second.number), (1, 2));
    assert!(!scheduler.wants_recipient(Local));
    assert_eq!(scheduler.settle(Local, first.slot, Settlement::Final), None);
    assert!(scheduler.wants_recipient(Local));
    assert_eq!(scheduler.end_pass(Local, PassEnd::Complete), None);
    let end = scheduler.settle(Local, second.slot, Settlement::Final);
    assert_eq!(end, Some(Exhausted { channel: Local, id: id(7) }));
    assert_eq!(scheduler.waiting().count(), 0);
}

#[test]
fn one_deferral_or_a_broken_pass_brings_the_message_back_at_its_retry_time() {
    for (settlement, end) in
        [(Settlement::TryAgain, PassEnd::Complete), (Settlement::Final, PassEnd::Broken)]
    {
        let mut scheduler = scheduler(2, 2);
        scheduler.add(Remote, id(7), NOW);
        open(&mut scheduler, Remote, NOW);
        let started = start(&mut scheduler, Remote);
        assert_eq!(scheduler.end_pass(Remote, end), None);
        assert_eq!(scheduler.settle(Remote, started.slot, settlement), None);
        assert_eq!(scheduler.waiting().collect::<Vec<_>>(), [(Remote, id(7), NOW + 400)]);
        assert_eq!(scheduler.next_message_due(), Some(NOW + 400));
        assert_eq!(scheduler.take_message(Remote, NOW + 399), None);
    }
}

#[test]
fn a_file_without_anybody_left_is_exhausted_at_its_end() {
    let mut scheduler = scheduler(1, 1);
    scheduler.add(Local, id(7), NOW);
    open(&mut scheduler, Local, NOW);
    let end = scheduler.end_pass(Local, PassEnd::Complete);
    assert_eq!(end, Some(Exhausted { channel: Local, id: id(7) }));
}

#[test]
fn the_attempt_after_the_lifetime_is_the_last_one() {
    for (now, last) in [(NOW + LIFETIME, false), (NOW + LIFETIME + 1, true)] {
        let mut scheduler = scheduler(1, 0);
        scheduler.add(Local, id(7), NOW);
        open(&mut scheduler, Local, now);
        let started = start(&mut scheduler, Local);
        assert_eq!(scheduler.delivery(Local, started.slot).unwrap().last, last);
    }
}

#[test]
fn all_recipients_of_one_message_come_before_the_next_message() {
    let mut scheduler = scheduler(5, 5);
    scheduler.add(Local, id(7), NOW);
    scheduler.add(Local, id(8), NOW);
    scheduler.add(Remote, id(8), NOW);
    assert_eq!(open(&mut scheduler, Local, NOW), Some(id(7)));
    assert_eq!(scheduler.take_message(Local, NOW), None);
    assert_eq!(open(&mut scheduler, Remote, NOW), Some(id(8)));
    start(&mut scheduler, Local);
    scheduler.end_pass(Local, PassEnd::Complete);
    assert_eq!(open(&mut scheduler, Local, NOW), Some(id(8)));
}

#[test]
fn reports_for_nothing_are_known_as_such() {
    let mut scheduler = scheduler(1, 1);
    scheduler.add(Local, id(7), NOW);
    open(&mut scheduler, Local, NOW);
    let started = start(&mut scheduler, Local);
    assert!(scheduler.delivery(Remote, started.slot).is_none());
    assert!(scheduler.delivery(Local, 200).is_none());
    scheduler.settle(Local, started.slot, Settlement::Final);
    assert!(scheduler.delivery(Local, started.slot).is_none());
    assert_eq!(scheduler.settle(Local, started.slot, Settlement::Final), None);
}

#[test]
fn a_channel_on_hold_keeps_its_messages() {
    let mut scheduler = scheduler(0, 1);
    scheduler.add(Local, id(7), NOW);
    assert_eq!(scheduler.take_message(Local, NOW), None);
    assert_eq!(scheduler.next_message_due(), None);
    let mut nothing = self::scheduler(0, 0);
    nothing.add(Local, id(7), NOW);
    assert_eq!(nothing.take_message(Local, NOW), None);
}

#[test]
fn stopping_starts_nothing_and_waits_for_the_living() {
    let mut scheduler = scheduler(2, 2);
    for channel in Channel::ALL {
        scheduler.add(channel, id(7), NOW);
        scheduler.add(channel, id(8), NOW + 9);
        open(&mut scheduler, channel, NOW);
        start(&mut scheduler, channel);
    }
    scheduler.stop();
    assert!(!scheduler.wants_recipient(Local));
    assert_eq!((scheduler.awaited(), scheduler.next_message_due()), (2, None));
    scheduler.lose(Remote);
    assert_eq!(scheduler.awaited(), 1);
    scheduler.settle(Local, 0, Settlement::Final);
    assert_eq!(scheduler.awaited(), 0);
    assert_eq!(scheduler.load().remote, Load { used: 1, limit: 2 });
}

#[test]
fn hurrying_leaves_running_jobs_alone() {
    let mut scheduler = scheduler(2, 2);
    scheduler.add(Local, id(7), NOW);
    scheduler.add(Local, id(8), NOW + 5000);
    open(&mut scheduler, Local, NOW);
    let started = start(&mut scheduler, Local);
    scheduler.hurry(NOW + 1);
    scheduler.end_pass(Local, PassEnd::Complete);
    scheduler.settle(Local, started.slot, Settlement::TryAgain);
    let mut waiting: Vec<_> = scheduler.waiting().collect();
    waiting.sort();
    assert_eq!(waiting, [(Local, id(7), NOW + 100), (Local, id(8), NOW + 1)]);
}

#[test]
fn trouble_is_123_seconds() {
    let mut scheduler = scheduler(1, 1);
    scheduler.add(Local, id(7), NOW);
    let taken = scheduler.take_message(Local, NOW).unwrap();
    scheduler.postpone(Local, taken, NOW);
    assert_eq!(scheduler.next_message_due(), Some(NOW + 123));
    scheduler.add_doubtful(id(8), NOW);
    assert_eq!(scheduler.take_doubtful(NOW + 122), None);
    scheduler.add_doubtful(id(9), NOW);
    scheduler.clear_doubt(id(8));
    assert_eq!(scheduler.take_doubtful(NOW + 123), Some(id(9)));
    assert_eq!(scheduler.take_doubtful(NOW + 123), None);
}

#[test]
fn there_are_no_more_jobs_than_deliveries() {
    let mut scheduler = scheduler(1, 1);
    for number in 1..4 {
        scheduler.add(Local, id(number), NOW);
    }
    open(&mut scheduler, Local, NOW);
    start(&mut scheduler, Local);
    scheduler.end_pass(Local, PassEnd::Complete);
    assert_eq!(scheduler.take_message(Local, NOW), None, "the only place is taken");
}

#[test]
fn there_may_be_fewer_jobs_than_deliveries() {
    let mut scheduler = scheduler(3, 3);
    scheduler.limit_messages(1);
    scheduler.add(Local, id(7), NOW);
    scheduler.add(Remote, id(8), NOW);
    open(&mut scheduler, Local, NOW);
    let (first, second) = (start(&mut scheduler, Local), start(&mut scheduler, Local));
    scheduler.end_pass(Local, PassEnd::Complete);
    assert_eq!((scheduler.next_message_due(), scheduler.take_message(Remote, NOW)), (None, None));
    scheduler.settle(Local, first.slot, Settlement::Final);
    assert_eq!(scheduler.take_message(Remote, NOW), None);
    scheduler.settle(Local, second.slot, Settlement::Final);
    assert_eq!(scheduler.take_message(Remote, NOW), Some(id(8)));
}

/// Starts a delivery if the recipient's host has room; whether it had.
fn try_start(scheduler: &mut Scheduler<&'static str>, recipient: &str) -> Option<DeliveryNumber> {
    let recipient = recipient.as_bytes();
    let crowded = scheduler.crowds_out(Remote, recipient);
    if crowded {
        return None;
    }
    scheduler.start(Remote, 0, recipient.to_vec()).map(|started| started.slot)
}

/// Opens the next message that is due on the remote channel.
fn begin(scheduler: &mut Scheduler<&'static str>, now: Time) -> Option<u64> {
    open(scheduler, Remote, now).map(QueueId::as_u64)
}

#[test]
fn a_host_that_does_not_answer_leaves_places_for_others() {
    let mut scheduler = scheduler(0, 10);
    scheduler.limit_hosts(Some(2));
    for number in 1..=6 {
        scheduler.add(Remote, id(number), NOW);
    }
    let mut slots = Vec::new();
    for number in 1..=5 {
        assert_eq!(begin(&mut scheduler, NOW), Some(number));
        slots.extend(try_start(&mut scheduler, "a@dead.example"));
        assert_eq!(scheduler.end_pass(Remote, PassEnd::Complete), None);
    }
    assert_eq!(slots, [0, 1]);
    assert_eq!(begin(&mut scheduler, NOW), Some(6));
    assert!(try_start(&mut scheduler, "a@alive.example").is_some());
    scheduler.end_pass(Remote, PassEnd::Complete);
    // The others wait without being looked at, until there is room.
    assert_eq!(scheduler.next_message_due(), None);
    scheduler.settle(Remote, 0, Settlement::TryAgain);
    assert_eq!(begin(&mut scheduler, NOW), Some(3));
    assert!(try_start(&mut scheduler, "a@dead.example").is_some());
    scheduler.end_pass(Remote, PassEnd::Complete);
    assert!(begin(&mut scheduler, NOW).is_none());
    // The first one is tried again in its time.
    assert_eq!(scheduler.next_message_due(), Some(NOW + 400));
}

#[test]
fn who_failed_is_not_tried_again_early_because_of_who_was_not_tried() {
    let mut scheduler = scheduler(0, 10);
    scheduler.limit_hosts(Some(1));
    scheduler.add(Remote, id(1), NOW);
    begin(&mut scheduler, NOW);
    assert_eq!(try_start(&mut scheduler, "a@h"), Some(0));
    assert_eq!(try_start(&mut scheduler, "b@h"), None);
    scheduler.end_pass(Remote, PassEnd::Complete);
    scheduler.settle(Remote, 0, Settlement::TryAgain);
    assert_eq!(scheduler.next_message_due(), Some(NOW + 400));
    begin(&mut scheduler, NOW + 400);
    assert_eq!(try_start(&mut scheduler, "a@h"), Some(0));
    assert_eq!(try_start(&mut scheduler, "b@h"), None);
    scheduler.end_pass(Remote, PassEnd::Complete);
    // Where nobody failed, the rest goes on at once.
    assert_eq!(scheduler.settle(Remote, 0, Settlement::Final), None);
    assert_eq!(begin(&mut scheduler, NOW + 400), Some(1));
    assert_eq!(try_start(&mut scheduler, "b@h"), Some(0));
    scheduler.end_pass(Remote, PassEnd::Complete);
    let end = scheduler.settle(Remote, 0, Settlement::Final);
    assert_eq!(end, Some(Exhausted { channel: Remote, id: id(1) }));
}
