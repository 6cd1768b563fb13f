//! What qmail-todo tells us.

use qmail_core::queue::{Channel, QueueId};
use qmail_wire::todo::{BadNews, News};

use super::Daemon;
use crate::lines;
use crate::schedule::Time;
use crate::todo::Todo;

impl Daemon {
    pub(super) fn read_news(&mut self, now: Time) {
        let stopping = self.scheduler.is_stopping();
        match self.todo.as_mut().map(Todo::receive) {
            None => {}
            // Told to stop, it may have gone without a word.
            Some(Err(_)) if stopping => self.todo = None,
            Some(Err(_)) => self.lose_todo(),
            Some(Ok(all)) => {
                for news in all {
                    self.hear(news, now);
                }
            }
        }
    }

    fn hear(&mut self, news: Result<News, BadNews>, now: Time) {
        match news {
            Ok(News::Log(line)) => self.log.write(&line),
            // What comes now is found when we start again.
            Ok(News::Preprocessed { .. }) if self.scheduler.is_stopping() => {}
            Ok(News::Preprocessed { id, local, remote }) => {
                let id = QueueId::new(id);
                self.scheduler.clear_doubt(id);
                self.half_done.forget(id);
                if local {
                    self.scheduler.add(Channel::Local, id, now);
                }
                if remote {
                    self.scheduler.add(Channel::Remote, id, now);
                }
                if !local && !remote {
                    self.scheduler.add_finished(id, now);
                }
            }
            Ok(News::Stopped) if self.scheduler.is_stopping() => self.todo = None,
            // Without it no new message would ever be delivered.
            Ok(News::Stopped) => self.lose_todo(),
            Err(BadNews::UnknownKind) => self.say(lines::TODO_UNKNOWN),
            Err(BadNews::Mangled) => self.say(lines::TODO_MANGLED),
        }
    }
}
