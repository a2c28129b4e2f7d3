/** English for the settings. */

export const settings = {
  cues: 'Cue tones',
  cue: {
    permit: 'You may talk: two rising notes',
    deny: 'Refused: a low buzz',
    roger: 'End of what you heard: a short beep',
    incoming: 'Someone begins: a soft click',
  },
  listen: (cue: string) => `Listen: ${cue}`,
  talking: 'Talking',
  latch: 'Latch',
  latchHint: 'Tap to start, tap to stop, instead of holding.',
  talkKey: 'Talk key',
  talkKeyHint:
    'Hold it anywhere on the page but in a field. A button that has the focus keeps space and Enter.',
  talkKeySet: 'Change',
  talkKeyKeep: 'Keep',
  talkKeyWaiting: 'Press a key now. Escape keeps the old one, Delete leaves none.',
  vibrate: 'Vibrate',
  vibrateHint: 'On phones that can.',
  data: 'Data',
  lowData: 'Low data',
  lowDataHint: 'Fewer, larger packets: about half the data, a little later.',
  about: 'About',
  borders: 'Country borders',
  bordersCredit: '© OpenStreetMap contributors',
  bordersLicence: 'ODbL',
  cells: 'Cells of the range: H3 © Uber Technologies (Apache-2.0)',
  privacy: 'Privacy: what is kept, and how we prove it',
  licences: 'Licences of what this page is made of',
};
