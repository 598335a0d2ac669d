// The signal around an alarm, from what the service keeps: 10 s before, 20 s after.

import { decode } from "./frames.js";
import { Memory } from "./memory.js";

const BEFORE_S = 10;
const AFTER_S = 20;

/** {memory, mark (s of the epoch), whole: all of it has come} */
export async function stripOf(service, alarm) {
  const path = `/v1/streams/${encodeURIComponent(alarm.stream)}`;
  const epochs = await service.get(`${path}/epochs`);
  const epoch = epochs.find((one) => one.epoch === alarm.epoch) ?? epochs.at(-1);
  const memory = new Memory(epoch, 2 * (BEFORE_S + AFTER_S));
  const guess = Math.max(0, (Date.parse(alarm.onset_at) - Date.parse(epoch.started_at)) / 1000);
  const verdicts = async (from, to) =>
    (await service.get(`${path}/verdicts?epoch=${epoch.epoch}&start_s=${Math.max(0, from)}&end_s=${to}`)).items;
  const [near] = await verdicts(guess - 5, guess + 5); // its clock says which sample the onset was
  const mark = near ? near.start_s + (Date.parse(alarm.onset_at) - Date.parse(near.start_at)) / 1000 : guess;
  const first = Math.max(0, Math.round((mark - BEFORE_S) * memory.fs));
  const last = Math.round((mark + AFTER_S) * memory.fs);
  const stored = await service.bytes(`${path}/samples?epoch=${epoch.epoch}&first=${first}&n=${last - first}`);
  if (stored.byteLength) memory.put(first, decode(epoch, stored));
  for (const verdict of await verdicts(mark - BEFORE_S - 5, mark + AFTER_S + 5)) memory.judge(verdict);
  return { memory, mark, whole: epoch.ended || memory.end >= last };
}
