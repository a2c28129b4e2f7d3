/** The radio of this page, behind the contract of `model.ts`. */
export { createRadio } from './engine';
