/** What the server takes, in letters as a person counts them. It decides; the page only counts along. */

export const HANDLE_LIMIT = 24;
export const DESCRIPTION_LIMIT = 140;
export const CONTACT_LIMIT = 2000;
