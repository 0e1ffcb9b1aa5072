// The waves of a channel: one filled shape, as fine as the screen and the peaks that are here.
import { clamp } from "./clock.js";

const BY = 32;
const MAX_GAIN = 16;
/** What is louder for a shorter time in all, in bins, is a click and no voice. */
const VOICE_BINS = 25;

/** Whether a part of the call holds all from..to. @param {{from_s: number, to_s: number} | undefined} part */
export const covers = (part, from = 0, to = 0) => Boolean(part && part.from_s <= from && part.to_s >= to);

/** The peaks of a channel; each level holds the highest of 32 of the level below. A bin of 0 is not known. */
export class Peaks {
	/** How much higher than recorded they are drawn, so that a quiet voice is seen beside a loud one. */
	gain = 1;
	#levels;

	/** @param {Uint8Array} bins */
	constructor(bins) {
		this.#levels = [bins];
		for (let below = bins; below.length > BY; this.#levels.push(below)) below = highestOf(below);
		const counts = new Uint32Array(256);
		for (const bin of bins) counts[bin]++;
		const least = Math.min(VOICE_BINS, (bins.length - counts[0]) / 4);
		let [level, louder] = [256, 0];
		while (louder <= least && level > 1) louder += counts[--level];
		this.gain = clamp((255 / level) ** 2, 1, MAX_GAIN);
	}

	/** The highest of the bins from..to, as an amplitude; 0 where none is known. */
	amplitude(from = 0, to = 0) {
		// The kernel sends the root of the amplitude, which a byte resolves better.
		return (this.#highest(from, to, 0) / 255) ** 2;
	}

	/** @returns {number} */
	#highest(from = 0, to = 0, level = 0) {
		const bins = this.#levels[level];
		if (to - from > 2 * BY && level + 1 < this.#levels.length) {
			const [first, last] = [Math.ceil(from / BY), Math.floor(to / BY)];
			return Math.max(this.#highest(from, first * BY, level), this.#highest(first, last, level + 1),
				this.#highest(last * BY, to, level));
		}
		let top = 0;
		for (let i = Math.max(from, 0); i < to && i < bins.length; i++) if (bins[i] > top) top = bins[i];
		return top;
	}
}

/** @param {Uint8Array} bins */
function highestOf(bins) {
	const above = new Uint8Array(Math.ceil(bins.length / BY));
	bins.forEach((bin, i) => {
		const at = Math.floor(i / BY);
		if (bin > above[at]) above[at] = bin;
	});
	return above;
}

/** Write the lowest and highest sample of the bins from..to. @param {Detail} detail @param {Shape} shape */
function look({ samples, bins, first_bin }, channel = 0, from = 0, to = 0, shape, i = 0) {
	let [low, high] = [NaN, NaN];
	for (let at = Math.max(from - first_bin, 0); at < to - first_bin && at < bins; at++) {
		const [least, most] = [samples[2 * channel * bins + at], samples[(2 * channel + 1) * bins + at]];
		if (!(least >= low)) low = least;
		if (!(most <= high)) high = most;
	}
	[shape.lows[i], shape.highs[i]] = [low / 32767, high / 32767];
}

/**
 * What is seen of a channel: a column a pixel, or a bin where these are wider. Columns stand at multiples of their
 * width, so that they keep their form while they are moved.
 * @typedef {{start: number, step: number, lows: Float32Array, highs: Float32Array}} Shape times in seconds
 * @param {{from: number, to: number, pixels: number}} view @param {Peaks} peaks @param {number} rate bins a second
 * @param {Detail | undefined} detail @returns {Shape}
 */
export function shapeOf({ from, to, pixels }, peaks, rate, detail, channel = 0) {
	const fine = detail?.bins_per_s ?? rate;
	const step = Math.max((to - from) / (pixels || 1), 1 / fine);
	const first = Math.floor(from / step);
	const count = Math.ceil(to / step) - first + 1;
	const shape = { start: first * step, step, lows: new Float32Array(count), highs: new Float32Array(count) };
	const bin = (i = 0) => Math.floor((first + i) * step * fine + 1e-6);
	for (let i = 0; i < count; i++) {
		const end = Math.max(bin(i) + 1, bin(i + 1));
		if (detail) look(detail, channel, bin(i), end, shape, i);
		else shape.lows[i] = -(shape.highs[i] = peaks.amplitude(bin(i), end) || NaN);
	}
	return shape;
}

/**
 * Fill a shape, a stretch of one colour at a time; what is not known is left out.
 * @param {CanvasRenderingContext2D} context @param {Shape} shape
 * @param {{x: (seconds: number) => number, middle: number, half: number, gain: number, isLine: boolean}} place
 * @param {(from: number, to: number) => string} colourOf of the sound between two times
 */
export function fillShape(context, { start, step, lows, highs }, { x, middle, half, gain, isLine }, colourOf) {
	const y = (value = 0, extra = 0) => middle - clamp(value * gain, -1, 1) * half + extra;
	const at = (i = 0) => x(start + i * step);
	const fill = (from = 0, to = 0) => {
		context.beginPath();
		for (let i = from; i < to; i++) context.lineTo(at(i), y(highs[i], -0.5));
		context.lineTo(at(to), y(highs[to - 1], -0.5));
		context.lineTo(at(to), y(lows[to - 1], 0.5));
		for (let i = to - 1; i >= from; i--) context.lineTo(at(i), y(lows[i], 0.5));
		context.fill();
		// Where samples are far apart the shape is a line, which is too thin where it is steep.
		if (isLine) context.stroke();
	};
	let [from, colour] = [0, ""];
	for (let i = 0; i <= lows.length; i++) {
		const next = i === lows.length || Number.isNaN(lows[i]) ? "" : colourOf(start + i * step, start + (i + 1) * step);
		if (next === colour) continue;
		if (colour) fill(from, i);
		[from, colour, context.fillStyle, context.strokeStyle] = [i, next, next || "#000", next || "#000"];
	}
}
