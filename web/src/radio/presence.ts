import type { Participant } from '../gen/Participant';
import type { ServerMessage } from '../gen/ServerMessage';
import type { Tuned } from './model';

type TunedMessage = Extract<ServerMessage, { type: 'tuned' }>;
type Presence = Extract<ServerMessage, { type: 'presence' }>;
type Page = Extract<ServerMessage, { type: 'participants' }>;

const collator = new Intl.Collator(undefined, { sensitivity: 'base', numeric: true });

/** The channel as `tuned` tells it. */
export function ofTuned({ channel, label, count, participants, pages }: TunedMessage): Tuned {
  const tuned: Tuned = { channel, count, participants: sorted(participants), page: 0, pages };
  return label === undefined ? tuned : { ...tuned, label };
}

/** Who came, left, and is in another country. In a channel of several pages only the count is told. */
export function withPresence(tuned: Tuned, { count, joined, left, changed = [] }: Presence): Tuned {
  const gone = new Set([...left, ...joined.map(({ id }) => id)]);
  const now = new Map(changed.map((participant) => [participant.id, participant]));
  const stayed = tuned.participants
    .filter(({ id }) => !gone.has(id))
    .map((participant) => now.get(participant.id) ?? participant);
  return { ...tuned, count, participants: sorted([...stayed, ...joined]) };
}

/** Another page, in the server's order. */
export function withPage(tuned: Tuned, { page, pages, count, participants }: Page): Tuned {
  return { ...tuned, page, pages, count, participants };
}

function sorted(participants: Participant[]): Participant[] {
  return participants.toSorted((a, b) => collator.compare(a.handle, b.handle) || a.id - b.id);
}
