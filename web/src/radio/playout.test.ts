import { expect, test } from 'vitest';
import { Playout } from './playout';

const FRAME = 960;

function make() {
  const events: string[] = [];
  const playout = new Playout({
    finished: (play) => events.push(`finished ${play}`),
    progress: (play, played) => events.push(`played ${play} ${played}`),
    reached: () => {},
  });
  const chunk = (play: number, seq: number, value: number) =>
    playout.handle({
      type: 'chunk',
      play,
      time: seq * FRAME,
      lost: false,
      pcm: new Float32Array(FRAME).fill(value),
    });
  const render = (samples: number) => {
    const out = new Float32Array(samples);
    for (let at = 0; at < samples; at += 120) playout.render(out.subarray(at, at + 120));
    return out;
  };
  return { playout, events, chunk, render };
}

test('two channels are mixed and do not exceed full scale', () => {
  const { playout, events, chunk, render } = make();
  for (const play of [1, 2]) {
    playout.handle({ type: 'begin', play, frame: FRAME, live: true });
    for (let seq = 0; seq < 3; seq += 1) chunk(play, seq, seq === 2 ? 0.75 : 0.25);
    playout.handle({ type: 'end', play });
  }
  const out = render(3 * FRAME + 120);
  expect(out[0]).toBe(0.5);
  expect(out[2 * FRAME + 10]).toBe(1);
  expect(out[3 * FRAME + 10]).toBe(0);
  expect(events).toEqual(['finished 1', 'finished 2']);
});

test('progress is told while a burst plays, and nothing is heard of one that was stopped', () => {
  const { playout, events, chunk, render } = make();
  playout.handle({ type: 'begin', play: 1, frame: FRAME, live: true });
  for (let seq = 0; seq < 20; seq += 1) chunk(1, seq, 0.25);
  render(5 * FRAME);
  expect(events).toEqual(['played 1 4800']);
  playout.handle({ type: 'stop', play: 1 });
  expect(render(FRAME).every((sample) => sample === 0)).toBe(true);
});

test('a held playout is silent and goes on where it was', () => {
  const { playout, chunk, render } = make();
  playout.handle({ type: 'begin', play: 1, frame: FRAME, live: true });
  for (let seq = 0; seq < 4; seq += 1) chunk(1, seq, (seq + 1) / 8);
  render(FRAME);
  playout.hold(true);
  expect(render(5 * FRAME).every((sample) => sample === 0)).toBe(true);
  playout.hold(false);
  expect(render(FRAME).every((sample) => sample === 0.25)).toBe(true);
});

test('a burst without a sound is finished at once', () => {
  const { playout, events, render } = make();
  playout.handle({ type: 'begin', play: 1, frame: FRAME, live: true });
  playout.handle({ type: 'end', play: 1 });
  render(120);
  expect(events).toEqual(['finished 1']);
});
