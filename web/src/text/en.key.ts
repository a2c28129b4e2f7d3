/** The key that goes to another device in a file. */
export const key = {
  heading: 'Your key',
  hint: 'The key in this browser is who you are. With the file and its passphrase you are the same person, with the same tag, on another device.',
  passphrase: 'Passphrase',
  passphraseHint: '8 characters or more, of any kind. Nobody can find it out for you.',
  again: 'The same once more',
  export: 'Take your key along',
  exporting: 'Sealing…',
  exported: (name: string) =>
    `Saved as ${name}. Whoever has it and the passphrase is you: keep them apart.`,

  title: 'Be who you are elsewhere',
  lead: 'A key file makes this browser the same person, with the same tag, as the device it is from.',
  file: 'Key file',
  fileHint: 'From the settings of the page, or from tenfour key export; it ends in .key.json',
  opens: 'The one you chose for the file',
  import: 'Use this key',
  importing: 'Opening…',
  back: 'Choose a handle instead',

  faults: {
    passphrase: {
      message: 'The passphrase does not fit this file.',
      hint: 'Try again. Without it nobody can open the file.',
    },
    length: {
      message: 'The passphrase is too short, or very long.',
      hint: 'Use 8 characters or more.',
    },
    different: { message: 'The two are not the same.', hint: 'Type the passphrase once more.' },
    none: { message: 'No file is chosen.', hint: 'Choose your key file.' },
    damaged: {
      message: 'The file is damaged.',
      hint: 'Copy it once more from where it was made.',
    },
    newer: {
      message: 'The file was made by a newer Tenfour.',
      hint: 'Open the page of a server with a newer version.',
    },
    foreign: {
      message: 'This is no Tenfour key file.',
      hint: 'Choose the file that ends in .key.json',
    },
    kept: {
      message:
        'This browser does not give your key out: it was made before keys could be taken along.',
      hint: 'To have a key that can, erase everything below and register again; your tag is another one then.',
    },
  },
};
