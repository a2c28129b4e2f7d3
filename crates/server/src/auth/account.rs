//! What users may do with what is stored of them: see it, change it, end sessions, erase it.

use std::net::IpAddr;
use std::time::Instant;

use tenfour_core::hub::LoginId;
use tenfour_protocol::http::{Contact, Held, Profile};
use tenfour_protocol::{Code, ContactText, Refusal, UserId};

use super::Auth;
use super::login::{description_of, handle_of};
use super::refusals::{owed, too_many, unavailable, written};
use crate::store::{Left, Letter, StoreError, TokenHash, User, held_by, letters};

impl Auth {
    /// All that is stored of a user. `this` is the session that asks.
    pub async fn held(&self, id: UserId, this: &TokenHash) -> Result<Held, Refusal> {
        let held = self.store.held(id).await.map_err(unavailable)?;
        Ok(held_by(held.ok_or(Code::NotLoggedIn)?, Some(this)))
    }

    /// All that the store has of a user, for the operator.
    pub(crate) async fn subject(&self, id: UserId) -> Result<Option<Held>, StoreError> {
        Ok(self.store.held(id).await?.map(|stored| held_by(stored, None)))
    }

    /// What people wrote to the operator, the newest last.
    pub(crate) async fn letters(&self) -> Result<Vec<Letter>, StoreError> {
        self.store.messages().await.map(letters)
    }

    /// Removes messages to the operator, as far as there are any of these numbers. Their bytes are overwritten when
    /// it returns.
    pub(crate) async fn remove_letters(&self, ids: Vec<u32>) -> Result<(), StoreError> {
        self.store.remove_messages(ids).await
    }

    /// True when the store says that there is no such user.
    pub(crate) async fn is_gone(&self, id: UserId) -> bool {
        self.lock_sessions().logins(&id).is_empty() && matches!(self.store.user(id).await, Ok(None))
    }

    /// Leaves a message for the operator. It has the budget of a log-in.
    pub async fn contact(&self, id: UserId, contact: Contact, peer: IpAddr) -> Result<(), Refusal> {
        self.take(peer)?;
        let text = ContactText::parse(&contact.text)
            .map_err(|error| Refusal::because(Code::ContactRefused, format!("The message {error}.")))?;
        self.contacts.take(peer, Instant::now()).map_err(|wait| {
            too_many("As many messages to the operator came from this address as may in a day.", wait)
        })?;
        match self.store.put_message(id, text).await.map_err(unavailable)? {
            Left::Done => Ok(()),
            Left::Unknown => Err(Code::NotLoggedIn.into()),
            Left::TooMany => Err(Code::TooManyContacts.into()),
            Left::Full => Err(Code::InboxFull.into()),
        }
    }

    /// Changes handle or description. `tell` is called with the user as it is now and its log-ins,
    /// in the order in which changes were stored.
    pub async fn change_profile(
        &self,
        id: UserId,
        profile: Profile,
        peer: IpAddr,
        tell: impl FnOnce(&User, Vec<LoginId>),
    ) -> Result<User, Refusal> {
        self.take(peer)?;
        let handle = profile.handle.as_deref().map(handle_of).transpose()?;
        let description = match profile.description {
            Some(Some(text)) => Some(Some(description_of(&text)?)),
            other => other.map(|_| None),
        };
        let _one_at_a_time = self.changing.lock().await;
        let before = self.user(id).await?;
        let mut user = before.clone();
        user.handle = handle.unwrap_or(user.handle);
        user.description = description.unwrap_or(user.description);
        if user != before {
            written(self.store.update_user(user.clone()).await.map_err(unavailable)?)?;
            self.note_change();
            tell(&user, self.lock_sessions().logins(&id));
        }
        Ok(user)
    }

    /// Ends every session of a user: at the door at once, then in the store. `close` is called for
    /// each log-in.
    pub async fn log_out_everywhere(
        &self,
        id: UserId,
        mut close: impl FnMut(LoginId),
    ) -> Result<(), Refusal> {
        self.end_sessions(&id, &mut close);
        self.store.remove_sessions(id).await.map_err(owed)
    }

    /// Erases a user: sessions at the door at once, then everything from the store and its files.
    /// `close` is called for each log-in. Erasing twice is as good as once.
    pub async fn erase(&self, id: UserId, mut close: impl FnMut(LoginId)) -> Result<(), Refusal> {
        self.end_sessions(&id, &mut close);
        let _one_at_a_time = self.changing.lock().await;
        self.store.erase(id).await.map_err(unavailable)?;
        self.note_change();
        // A log-in may have come in between.
        self.end_sessions(&id, &mut close);
        Ok(())
    }

    fn end_sessions(&self, id: &UserId, close: &mut impl FnMut(LoginId)) {
        let logins = self.lock_sessions().remove_all(id);
        logins.into_iter().for_each(close);
    }
}
