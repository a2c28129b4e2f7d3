/** Words that most visits never read: loaded with what they stand in, and not before. */

import { text } from '.';
import { account } from './en.account';
import { key } from './en.key';
import { queue } from './en.queue';
import { settings } from './en.settings';
import { sheet } from './en.sheet';
import { trouble } from './en.trouble';

const en = { account, key, queue, settings, sheet, trouble };

/** Every language, by its BCP 47 primary tag. */
export const laterLanguages: Record<string, typeof en> = { en };

/** In the language of the page. */
export const later = laterLanguages[text.language] ?? en;
