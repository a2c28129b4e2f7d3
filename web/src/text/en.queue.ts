/** While many come in from one network. */
export const queue = {
  turn: 'Many people come in from your network just now. You have a place in the line, and nothing to do.',
  next: (s: number) => `next try in ${s} s`,
  nextNow: 'trying now',
  work: 'Many people registered from your network. Your device works for your place, usually for some seconds.',
  working: 'working',
};
