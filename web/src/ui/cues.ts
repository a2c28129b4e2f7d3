/**
 * Cue tones from oscillators: short, soft, and quieter still while a voice is heard.
 * Notes: permit two rising notes of 60 ms, deny a low buzz of 200 ms, roger 80 ms, incoming a
 * soft click.
 */

import type { Cue } from './preferences.svelte';

interface Note {
  /** Hz. */
  pitch: number;
  /** Seconds after the start of the cue. */
  at: number;
  /** Seconds. */
  length: number;
  /** Peak gain. */
  gain: number;
  wave: OscillatorType;
}

const CUES: Record<Cue, Note[]> = {
  permit: [
    { pitch: 880, at: 0, length: 0.06, gain: 0.09, wave: 'sine' },
    { pitch: 1320, at: 0.06, length: 0.06, gain: 0.09, wave: 'sine' },
  ],
  deny: [
    { pitch: 155, at: 0, length: 0.2, gain: 0.07, wave: 'sawtooth' },
    { pitch: 148, at: 0, length: 0.2, gain: 0.05, wave: 'sawtooth' },
  ],
  roger: [{ pitch: 1047, at: 0, length: 0.08, gain: 0.06, wave: 'sine' }],
  incoming: [{ pitch: 1900, at: 0, length: 0.012, gain: 0.06, wave: 'triangle' }],
};

/** Rise and fall of a note in seconds, so that it does not crack. */
const EDGE = 0.006;
/** Gain of all cues while a voice is heard. */
const DUCKED = 0.35;

export class Cues {
  #context: AudioContext | null = null;
  readonly #wanted: (cue: Cue) => boolean;

  constructor(wanted: (cue: Cue) => boolean) {
    this.#wanted = wanted;
  }

  /** Call in a user gesture: browsers let sound out only then. */
  unlock(): void {
    try {
      this.#context ??= new AudioContext({ latencyHint: 'interactive' });
      if (this.#context.state !== 'running') void this.#context.resume().catch(() => undefined);
    } catch {
      // Without Web Audio, or with as much of it as a device can have, there are no tones.
    }
  }

  /** Plays a cue when it is wanted. */
  play(cue: Cue, voiceHeard = false): void {
    if (this.#wanted(cue)) this.sound(cue, voiceHeard);
  }

  /** Plays a cue in any case: for listening to it in the settings. */
  sound(cue: Cue, voiceHeard = false): void {
    const context = this.#context;
    if (context?.state !== 'running') return;
    const level = voiceHeard ? DUCKED : 1;
    for (const note of CUES[cue]) playNote(context, note, level);
  }
}

function playNote(context: AudioContext, note: Note, level: number): void {
  const start = context.currentTime + note.at;
  const end = start + note.length;
  const edge = Math.min(EDGE, note.length / 3);
  const gain = context.createGain();
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(note.gain * level, start + edge);
  gain.gain.setValueAtTime(note.gain * level, end - edge);
  gain.gain.linearRampToValueAtTime(0, end);
  const oscillator = context.createOscillator();
  oscillator.type = note.wave;
  oscillator.frequency.value = note.pitch;
  oscillator.connect(gain).connect(context.destination);
  oscillator.start(start);
  oscillator.stop(end);
}
