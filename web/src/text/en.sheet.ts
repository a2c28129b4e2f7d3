/** What the range needs, before the browser asks. */
export const sheet = {
  title: 'Range needs a place',
  lead: 'Two radios hear each other when they are within the range of both. For that the server has to know roughly where you are.',
  points: [
    {
      title: 'What is sent',
      body: 'The number of a cell of about 36 km². This browser works it out; your position never leaves it.',
    },
    {
      title: 'What is kept',
      body: 'That cell, in the server’s memory, while you are connected, and in this tab a stamp that only the server can read. A new cell takes effect every 15 minutes at most. You can stop at any time.',
    },
    {
      title: 'What others see',
      body: 'Your country. Those who share a cell, too, see a coarse signal meter.',
    },
    {
      title: 'If you refuse',
      body: 'Everything works on unlimited range. You are asked again only when you touch the range.',
    },
  ],
  share: 'Share my cell',
  not: 'Not now',
  deniedTitle: 'Location is denied',
  denied:
    'Your browser refuses this page the location. Everything works, but on unlimited range only.',
  deniedHow:
    'To allow it, open the sign beside the address, set Location to Allow, and touch the range again.',
  unsupportedTitle: 'No location here',
  unsupported:
    'This browser gives this page no location. Everything works, but on unlimited range only.',
  unsupportedHow: 'Open the page over https in a current browser to use a range.',
  close: 'Close',
};
