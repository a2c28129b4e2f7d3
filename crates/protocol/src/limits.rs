//! Every limit of the wire and of a session, in one place. They are checked at the
//! door; what an operator may change has its default and its bounds here too.

use std::time::Duration;

/// Longest handle, in grapheme clusters (what a person counts as letters).
pub const HANDLE_GRAPHEMES: usize = 24;
/// Longest handle in bytes of UTF-8: bounds stacked combining marks.
pub const HANDLE_BYTES: usize = 128;
/// Longest description, in grapheme clusters.
pub const DESCRIPTION_GRAPHEMES: usize = 140;
/// Longest description in bytes of UTF-8.
pub const DESCRIPTION_BYTES: usize = 640;
/// Longest text about a device, in bytes of UTF-8; more is cut off.
pub const DEVICE_BYTES: usize = 64;
/// Highest numbered channel; the lowest is 1.
pub const CHANNEL_NUMBERS: u8 = 40;
/// Longest name of a named channel, in bytes of ASCII.
pub const CHANNEL_NAME_BYTES: usize = 32;

/// Largest control message from a client, in bytes.
pub const CONTROL_BYTES: usize = 4 * 1024;
/// Control messages a session may send at once.
pub const CONTROL_BURST: u32 = 20;
/// Control messages a second after that.
pub const CONTROL_PER_SECOND: u32 = 5;
/// Messages that may be refused for their number at once; with one more the connection is closed.
pub const CONTROL_REFUSALS: u32 = 100;
/// The same, a second after that.
pub const CONTROL_REFUSALS_PER_SECOND: u32 = 50;
/// Control bytes that may wait for one client; more closes its connection.
pub const CONTROL_QUEUE_BYTES: usize = 256 * 1024;

/// What may come on one socket at once, in bytes; each frame of RFC 6455, and each record of TLS, counts as
/// [`READ_FRAME_COST`] more, and each text message [`READ_TEXT_COST`]. More is not read before its time: the network holds it back. An honest client,
/// with three seconds of voice that a network held back and every control message it may send, stays below
/// two thirds of it.
pub const READ_AT_ONCE: u32 = 512 * 1024;
/// The same, a second after that: 16,000 bytes of it are what the fastest talker sends, 63,000 the largest
/// control messages, from both of their budgets.
pub const READ_PER_SECOND: u32 = 80 * 1024;
/// What a frame costs beside its bytes: as much of a core as 64 bytes more would (some 0.1 µs).
pub const READ_FRAME_COST: u32 = 64;
/// What a text message costs beside its frame. It is read, the hub is asked, and it is answered: much more work
/// than for bytes of voice. With so much, both budgets of control messages can be used up, whatever their size.
pub const READ_TEXT_COST: u32 = 2 * 1024;
/// Who has sent more is not read for at least so long: small pieces come together meanwhile.
pub const READ_PAUSE: Duration = Duration::from_millis(20);
/// Who has sent more for so long without a pause is closed. Less than the shortest hold: voice that
/// waits in the kernel meanwhile is kept no longer than any other.
pub const READ_BEHIND: Duration = Duration::from_secs(1);
/// Bytes that are read of a socket at once.
pub const READ_BYTES: usize = 2 * 1024;
/// The same, of a socket that has sent many small messages: a few of them. With hundreds of
/// such sockets, somebody who talks waits for a few at each.
pub const READ_DENSE_BYTES: usize = 256;
/// What is read of one socket before others have their turn, frames counted like above.
pub const READ_TURN: u32 = 16 * 1024;
/// Messages of one socket that may wait for the hub; then its socket is not read.
pub const HUB_SHARE: usize = 32;
/// Messages of all sockets that may wait for the hub before each has a share of one.
pub const HUB_QUEUE: usize = 16 * 1024;

/// Length of the header of a voice frame, in bytes.
pub const VOICE_HEADER_BYTES: usize = 12;
/// Largest payload of a voice frame, in bytes.
pub const VOICE_PAYLOAD_BYTES: usize = 400;
/// Largest binary message that is read of a client, in bytes: more than any frame has, so that one which is too long
/// costs itself and not the connection.
pub const VOICE_MESSAGE_BYTES: usize = 4 * 1024;
/// Longest sound in one voice frame: RFC 6716, requirement R5.
pub const VOICE_FRAME_TIME: Duration = Duration::from_millis(120);
/// Bits of voice payload a second from one talker.
pub const VOICE_BITS_PER_SECOND: u32 = 64_000;
/// Voice that may arrive at once above its pace: the pre-roll, and what a stalled network held back.
/// Neither bits nor media time of a talker outrun their arrival by more than this.
pub const VOICE_AHEAD: Duration = Duration::from_secs(3);
/// Media time outruns its arrival at a listener, or at another node, by no more than this:
/// [`VOICE_AHEAD`], and half a second for what is under way. A burst is no longer to a listener than
/// its talk limit and this. With the quarter of a second that a press may wait ([`PRESS_PATIENCE`])
/// and the fifth that a jitter buffer holds, a press of 60 s plays for less than 64.
pub const HEARD_AHEAD: Duration = Duration::from_millis(3500);
/// Rate of media time: Opus always counts at 48 kHz.
pub const SAMPLE_RATE: u32 = 48_000;

/// Talk limit when the operator sets none (the time-out timer of a radio).
pub const TALK_LIMIT: Duration = Duration::from_secs(60);
/// Bounds of the talk limit.
pub const TALK_LIMIT_RANGE: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(5)..=Duration::from_secs(600);
/// A burst without a frame for this long is ended by the server, if its talker's link answers: after half of it
/// the server asks.
pub const SILENT_BURST: Duration = Duration::from_secs(1);
/// The same where the link does not answer: networks of telephones stall for so long, and then bring all that was
/// said. No more than [`VOICE_AHEAD`], so that it is all taken, also behind a pre-roll: while a link stalls, time
/// passes, and what a talker may send grows with it.
pub const STALLED_LINK: Duration = Duration::from_secs(3);
/// How long the server keeps a frame when the operator sets nothing.
pub const HOLD: Duration = Duration::from_secs(10);
/// Bounds of the hold.
pub const HOLD_RANGE: std::ops::RangeInclusive<Duration> = Duration::from_secs(2)..=Duration::from_secs(30);

/// Channels one session may be tuned to.
pub const CHANNELS_PER_SESSION: usize = 8;
/// Participants of one channel, when the operator sets nothing.
pub const CHANNEL_PARTICIPANTS: usize = 20_000;
/// Named channels that may exist at once. An address opens no more of them than are left: one address has
/// half of them at most, two have a third each.
pub const NAMED_CHANNELS: usize = 10_000;
/// Bursts on the air at once in one channel, wherever their talkers are: a bound of memory. Long before
/// it, people listen before they talk ([`BUSY`]).
pub const CHANNEL_BURSTS: usize = 4096;
/// A press is refused when its talker would hear so many bursts of others in that channel: with its
/// receive range, or with its transmit range if that is the larger one. Those of one address count as one
/// for people of other addresses, so an address alone closes no channel.
pub const BUSY: usize = 3;
/// Bursts that one user has on the air at once, each in another channel.
pub const BURSTS_PER_USER: usize = 2;
/// Bursts that one address has on the air at once.
pub const BURSTS_PER_ADDRESS: usize = 32;
/// Connections of one user to the radio. The one that was idle longest goes for a new one.
pub const CONNECTIONS_PER_USER: usize = 8;
/// Channels that one user is tuned to in all, each counted for each session.
pub const CHANNELS_PER_USER: usize = 16;
/// How long a talker may go on when somebody whom they would hear has begun to talk too, when the
/// operator sets nothing.
pub const COURTESY: Duration = Duration::from_secs(8);
/// Bounds of that. A listener is never more than 12 s behind, so the most is two seconds below.
pub const COURTESY_RANGE: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(5)..=Duration::from_secs(10);
/// After a burst that a limit ended, its user does not talk on that channel for this long.
pub const REST: Duration = Duration::from_secs(3);
/// Speech of one user in [`SPEECH_WINDOW`], while others wait.
pub const SPEECH: Duration = Duration::from_secs(5 * 60);
/// The time in which speech is counted.
pub const SPEECH_WINDOW: Duration = Duration::from_secs(10 * 60);
/// Others wait when one of them, whom the user would hear, began to talk in this last time.
pub const SPEECH_WAITING: Duration = Duration::from_secs(60);
/// Presses of one talker that may wait for the talker's earlier burst to be over.
pub const PRESSES_WAITING: usize = 4;
/// How long such a press waits before it is refused: the release is on its way, or there was none.
pub const PRESS_PATIENCE: Duration = Duration::from_millis(250);
/// Participants that a snapshot may name; a larger channel is told as a count and pages.
pub const SNAPSHOT_PARTICIPANTS: usize = 500;
/// Participants on one page.
pub const PAGE_PARTICIPANTS: usize = 100;
/// Frames that are sent at once, at most.
pub const BUNDLE_FRAMES: u8 = 3;
/// Sound that is sent at once, at most: longer frames make smaller bundles.
pub const BUNDLE_TIME: Duration = Duration::from_millis(60);
/// Participants of a channel from which on frames are sent to it in twos and in threes. One core
/// has time for about 3,000 single sends in the 20 ms of a frame, whoever serves them (measured
/// with a bare loop of writes): from half of that on, fewer and larger packets keep the pace.
pub const BUNDLES: [(usize, u8); 2] = [(1_500, 2), (3_000, 3)];
/// In a channel with at most so many participants everybody who is tuned has a turn of their own for
/// each frame, and who does not hear it is served in appearance: a frame's moment says nothing of the others.
/// Nobody waits longer than 64 turns.
pub const TURNS: u8 = 64;
/// From one turn to the next: longer than serving somebody takes (4 to 20 µs, cold and with the receiver's
/// half of loopback), so that a turn begins when it should, whatever came before.
pub const TURN: Duration = Duration::from_micros(20);
/// Joins and leaves of a channel are collected for this long before they are told.
pub const PRESENCE_TICK: Duration = Duration::from_millis(200);
/// Participants one session may have muted.
pub const MUTES_PER_SESSION: usize = 256;
/// Unfinished bursts that a resume may name.
pub const RESUME_BURSTS: usize = 64;

/// Places change at global moments this far apart, counted from the Unix epoch: when somebody
/// crossed the border of a cell would give them away (to 29 m; at these moments, to 504 m).
pub const EPOCH: Duration = Duration::from_secs(15 * 60);
/// A client says its new cell this long before the moment.
pub const EPOCH_LEAD: Duration = Duration::from_secs(10);
/// First cells of connections that a key may say in an hour.
pub const FIRST_CELLS_PER_HOUR: usize = 12;
/// Changes of cell that a key may make in an hour.
pub const MOVES_PER_HOUR: usize = 4;
/// Changes of cell that a key may make in a day.
pub const MOVES_PER_DAY: usize = 24;

/// Longest message to the operator, in grapheme clusters.
pub const CONTACT_GRAPHEMES: usize = 2_000;
/// Longest message to the operator in bytes of UTF-8: with every character escaped in JSON it still
/// fits into a body.
pub const CONTACT_BYTES: usize = 8_000;
/// Messages of one user that may wait for the operator.
pub const CONTACTS_PER_USER: usize = 10;
/// Messages of all users that may wait for the operator.
pub const CONTACTS: usize = 10_000;
/// The longest that a message waits for the operator; then it is removed.
pub const CONTACT_KEPT: Duration = Duration::from_secs(90 * 24 * 3600);
/// Messages to the operator that one address may send at once, and in a day after that.
pub const CONTACTS_PER_ADDRESS: u32 = 20;

/// Users, when the operator sets nothing: some 500 MB of the store.
pub const USERS: usize = 1_000_000;
/// Bounds of that.
pub const USERS_RANGE: std::ops::RangeInclusive<usize> = 1..=10_000_000;
/// Users with the same tag. A tag has 20 bits, so that of a million users no tag has more than a
/// dozen by chance; whoever makes keys for one tag fills one value of the store, and ends here.
pub const USERS_PER_TAG: usize = 64;
/// Users that one address may register at once, and in a day after that.
pub const REGISTRATIONS_PER_ADDRESS: u32 = 1_000;
/// Users that one address may register in an hour for nothing: a family, a class. Each one more has to show
/// [`REGISTRATION_WORK`].
pub const REGISTRATIONS_AN_HOUR: usize = 60;
/// Zero bits that the hash of such a registration has to begin with: some 2^20 hashes, two seconds on a phone.
/// `web/src/radio/work.ts` does 1.8 million a second in Node 20 on one core of a server (November 2026), and a
/// phone was taken to be four times as slow.
pub const REGISTRATION_WORK: u8 = 20;
/// Most zero bits that a client works for: whoever asks for more wants its battery.
pub const REGISTRATION_WORK_MOST: u8 = 24;

/// Bytes that are left on the disk for erasures, log-outs and log-ins: with less nobody registers or writes
/// to the operator, and no connection is logged. More than the store writes for what it does at once.
pub const DISK_LEAST_FREE: u64 = 4_000_000;

/// Rows of the connection log that one user fills in an hour, at most: a resume every half minute.
pub const LOG_ROWS_PER_USER: u16 = 120;
/// Rows that one address fills in an hour, at most.
pub const LOG_ROWS_PER_ADDRESS: u16 = 1_000;
/// Users and addresses whose rows are counted in an hour; rows of more are not written.
pub const LOG_SHARES: usize = 500_000;
/// Megabytes (10^6 bytes) of the connection log that a day may fill when the operator sets nothing: a
/// row has some 300 bytes, so this is a connection in each quarter of a second.
pub const LOG_DAY_MEGABYTES: usize = 100;
/// Bounds of that.
pub const LOG_DAY_MEGABYTES_RANGE: std::ops::RangeInclusive<usize> = 2..=100_000;

/// Length of the anonymous cookie of visitors, in bytes.
pub const VISITOR_COOKIE_BYTES: usize = 16;
/// Life of that cookie.
pub const VISITOR_COOKIE_LIFE: Duration = Duration::from_secs(24 * 3600);
/// Visitors that are counted in a day.
pub const VISITORS: usize = 100_000;

/// Largest header block of an HTTP request, in bytes.
pub const HEADER_BYTES: usize = 8 * 1024;
/// Largest body of an HTTP request, in bytes.
pub const BODY_BYTES: usize = 16 * 1024;
/// Addresses of a row of proxies that are looked through for a client's.
pub const FORWARDED_HOPS: usize = 16;
/// Time for a request's header, for TLS, and for the first message on the socket.
pub const HANDSHAKE: Duration = Duration::from_secs(5);
/// Connections of one address that are not radio sockets, and radio sockets of it: a /56 of IPv6 is one address,
/// loopback is none. Where the server has little room, its share is smaller.
pub const ADDRESS_CONNECTIONS: usize = 2_000;
/// Connections that are not radio sockets, whatever files there are: with a request half sent, one takes 16 KiB.
pub const DOORS: usize = 16 * 1024;
/// How long a peer may take nothing of an answer.
pub const ANSWER_PATIENCE: Duration = Duration::from_secs(10);
/// How fast it has to take an answer, in bytes a second, after as long again: half of what the slowest mobile network gives.
pub const ANSWER_BYTES_PER_SECOND: u64 = 2 * 1024;
/// Bytes of answers that wait for their peers, in all; more are refused.
pub const ANSWERS_BYTES: usize = 32 * 1024 * 1024;
/// The same for one address.
pub const ADDRESS_ANSWERS_BYTES: usize = 8 * 1024 * 1024;

/// A ping is sent on a connection this often.
pub const PING: Duration = Duration::from_secs(15);
/// Pings without an answer before the connection is closed.
pub const PINGS_MISSED: u32 = 2;
/// A listener whose socket takes nothing for this long is reset.
pub const STALLED: Duration = Duration::from_secs(10);

/// Length of a log-in nonce, in bytes.
pub const NONCE_BYTES: usize = 32;
/// Life of a log-in nonce.
pub const NONCE_LIFE: Duration = Duration::from_secs(30);
/// Nonces that may be open at once.
pub const NONCES: usize = 10_000;
/// Life of a session token after its last use.
pub const SESSION_LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
/// Length of a session token and of a resume token, in bytes.
pub const TOKEN_BYTES: usize = 32;
/// Sessions of one user; the oldest goes for a new one.
pub const SESSIONS_PER_USER: usize = 32;
/// Largest key file that is read, in bytes: one has some 350.
pub const KEY_FILE_BYTES: usize = 4 * 1024;
/// Rounds of PBKDF2-HMAC-SHA-256 for a passphrase: what OWASP's Password Storage Cheat Sheet asks for
/// (since 2023). A file with fewer is refused.
pub const KEY_FILE_ITERATIONS: u32 = 600_000;
/// Most rounds that a key file may ask for: some seconds.
pub const KEY_FILE_ITERATIONS_MOST: u32 = 10_000_000;
/// Shortest passphrase of a new key file, in characters.
pub const PASSPHRASE_CHARACTERS: usize = 8;
/// Longest passphrase, in bytes of UTF-8.
pub const PASSPHRASE_BYTES: usize = 1024;
/// Radio sockets that a user may open at once: as many as one may have, each again and again.
pub const USER_UPGRADES: u32 = 32;
/// Until a user may open one more after that.
pub const USER_UPGRADE: Duration = Duration::from_secs(1);
/// Requests for a nonce (which pays for the registration or log-in, too), and changes of a profile, that one
/// address may send at once.
pub const AUTH_REQUESTS: u32 = 60;
/// Such requests a second after that: 300 newcomers, each of whom may have to ask twice, take a minute.
pub const AUTH_PER_SECOND: u32 = 10;
/// Longest wait that somebody is told who has spent the budget: so many come in meanwhile that a crowd which
/// is larger asks again.
pub const AUTH_WAIT: Duration = Duration::from_secs(60);
/// How long clients wait and work in all before they tell their person that it did not work.
pub const AUTH_PATIENCE: Duration = Duration::from_secs(120);
/// Addresses whose requests are counted at once; more wait.
pub const AUTH_PREFIXES: usize = 10_000;

/// Longest name of a node, in bytes of ASCII.
pub const NODE_NAME_BYTES: usize = 64;
/// Largest message of control between nodes: what NATS takes when nothing else is set.
pub const NODE_MESSAGE_BYTES: usize = 1024 * 1024;
/// Voice frames in one message between nodes.
pub const NODE_FRAMES: usize = 16;
/// Channels that a node can have people on.
pub const NODE_CHANNELS: usize = NAMED_CHANNELS + CHANNEL_NUMBERS as usize;
/// Other nodes that a node knows.
pub const NODES: usize = 256;
/// Messages of control that one node may say at once: everybody who was on a node that died comes back to
/// others, which claim their sessions.
pub const NODE_MESSAGES: u32 = 40_000;
/// Such messages a second after that.
pub const NODE_MESSAGES_PER_SECOND: u32 = 5_000;
/// Beats of a node that are looked at are this far apart.
pub const NODE_BEAT_LEAST: Duration = Duration::from_millis(250);
/// A node says this often that it is alive, and what is on the air.
pub const NODE_BEAT: Duration = Duration::from_secs(1);
/// A node of which nothing came for this long is gone, and so is a burst of another node.
pub const NODE_SILENT: Duration = Duration::from_secs(3);
/// Changes of counts are collected for this long before other nodes are told.
pub const NODE_COUNTS_TICK: Duration = Duration::from_millis(500);
/// A subscription is kept this long after its last listener has gone.
pub const NODE_LINGER: Duration = Duration::from_secs(30);
/// How long a page of another node's participants is waited for.
pub const NODE_ANSWER: Duration = Duration::from_secs(1);
/// Pages of other nodes that may be waited for at once.
pub const NODE_ASKS: usize = 10_000;
/// Bursts of other nodes that a node has on the air in one channel.
pub const NODE_CHANNEL_BURSTS: usize = 1024;
/// Participants of other nodes that a node knows by a number of its own.
pub const NODE_PARTICIPANTS: usize = 65_536;
