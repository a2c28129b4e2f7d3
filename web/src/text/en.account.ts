/** English for what is stored of oneself. */

export const account = {
  you: 'You',
  save: 'Save',
  saving: 'Saving…',
  saved: 'Saved. Others see it now.',
  unchanged: 'Nothing has changed.',
  stored: 'What is stored of you',
  storedHint:
    'Your handle, the line about you, your identifier and public key, the day you registered, your sessions, your rows in the connection log (time, address, device), and what you wrote to the operator. No voice and no place: those are not stored.',
  download: 'Download',
  downloaded: (file: string) => `${file} was made. Your browser has it.`,
  contact: 'Write to the operator',
  contactLabel: 'Message',
  contactHint: (who: string) =>
    `It goes with your handle and identifier, so that the operator knows it is from ${who}. It is kept until the operator removes it, 90 days at most.`,
  contactEmpty: 'Write something first.',
  contactSend: 'Send',
  contactSending: 'Sending…',
  contactSent: 'Sent. The operator has it.',
  sessions: 'Sessions',
  logOut: 'Log out',
  logOutHint: 'Ends the session of this browser. Your handle stays with this device.',
  everywhere: 'Log out everywhere',
  everywhereHint: 'Ends every session you have, this one too.',
  erase: 'Erase everything',
  eraseHint: 'Takes everything stored of you away from the server and from this browser.',
  sure: 'Erase everything for good?',
  sureHint:
    'Your handle, identifier, the line about you, your sessions, your rows in the connection log and what you wrote to the operator are deleted on the server. The device key and the settings in this browser are deleted too: nobody, you included, can be this person again.',
  keep: 'Keep everything',
  eraseNow: 'Erase for good',
  erasing: 'Erasing…',
};
