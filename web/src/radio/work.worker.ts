import type { FromWork, ToWork } from './solve';
import { Work } from './work';

/** Numbers that are tried between two words to the page: some tens of milliseconds. */
const AT_ONCE = 1 << 15;

self.onmessage = ({ data: { nonce, user, bits } }: MessageEvent<ToWork>) => {
  const work = new Work(nonce, user);
  for (let tried = 0; tried < 2 ** 32; tried += AT_ONCE) {
    const solution = work.search(tried, AT_ONCE, bits);
    if (solution !== null) {
      tell({ type: 'solved', solution });
      return;
    }
    tell({ type: 'tried', tried: tried + AT_ONCE });
  }
};

function tell(message: FromWork): void {
  self.postMessage(message);
}
