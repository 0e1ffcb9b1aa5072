// Where nobody is heard, which may be left out while it plays.

const SHORTEST_S = 1;
const LEAD_S = 0.2;
const TAIL_S = 0.3;
// Of the loudest peak of a channel: a pause of a second that is as quiet as that holds no speech.
const QUIET = 0.05;

/** Whether the turns of a call say that somebody speaks, and when the next one begins. @param {[number, number][][]} speech */
function fromTurns(speech, at = 0) {
	let next = Infinity;
	for (const [start, end] of speech.flat()) {
		if (start <= at && at < end + TAIL_S) return at;
		if (start > at) next = Math.min(next, start);
	}
	return next;
}

/** Of a lane of peaks the highest that is quiet. @type {WeakMap<Uint8Array, number>} */
const limits = new WeakMap();

/** @param {Uint8Array} lane */
function limitOf(lane) {
	const known = limits.get(lane) ?? Math.sqrt(QUIET) * lane.reduce((most, each) => Math.max(most, each), 0);
	limits.set(lane, known);
	return known;
}

/** The same of the peaks, each a byte that is the root of the amplitude. @param {Uint8Array[]} peaks */
function fromPeaks(peaks, rate = 100, at = 0) {
	const highest = peaks.map(limitOf);
	// A peak of 1 is silence, also in a channel that holds nothing else.
	const isQuiet = (bin = 0) => peaks.every((lane, i) => lane[bin] <= Math.max(1, highest[i]));
	let bin = Math.floor(at * rate);
	while (bin < peaks[0].length && isQuiet(bin)) bin++;
	return bin < peaks[0].length ? bin / rate : Infinity;
}

/**
 * Return where to go on: at `at`, or where the next speech begins if that is long after it.
 * @param {Call} call
 */
export function afterSilence({ speech = [], peaks, bins_per_s: rate, isDrawn }, at = 0, duration = 0) {
	const areKnown = speech.some((lane) => lane.length);
	if (!areKnown && !(peaks && isDrawn)) return at;
	const next = areKnown ? fromTurns(speech, at) : fromPeaks(peaks ?? [], rate, at);
	const to = Math.min(next - LEAD_S, duration);
	return to - at >= SHORTEST_S ? to : at;
}
