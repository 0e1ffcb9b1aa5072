// The marks of a call: above the lanes what each is, by its shape; on the lanes where it is, hatched.
import { clamp } from "./clock.js";
import { svg } from "./dom.js";

const SHAPES_AT_PX = 14;
/** A shape that is shorter could not be told from the others. */
const LEAST_PX = 9;
const TILE_PX = 8;

/**
 * How each kind is drawn: `path` so many pixels long, `solid` where the path is filled, `tile` repeated over the lanes.
 * @type {Record<string, {path: (long: number) => string, solid?: boolean, tile?: string}>}
 */
const SHAPES = {
	overlap: { path: (long) => `M0 2H${long}M0 7H${long}`, tile: "M0 8 8 0M0 0 8 8" },
	interruption: { path: () => "M-4.5 0h9L0 9z", solid: true },
	silence: { path: (long) => `M1 1H${long - 1}V8H1z`, tile: "M1 2h2M5 6h2" },
	slow: { path: (long) => `M1 0v9M1 4.5H${long - 1}M${long - 1} 0v9`, tile: "M0 2h8M0 6h8" },
	clipping: {
		path: (long) => `M0 8${Array.from({ length: Math.min(900, long / 3) }, (_, i) => `L${3 * i + 3} ${i % 2 ? 8 : 1}`).join("")}`,
		tile: "M2 0v8M6 0v8",
	},
	moment: { path: (long) => `M0 4.5a4 4 0 1 0 8 0a4 4 0 1 0-8 0zM8 4.5H${long}`, solid: true, tile: "M0 0 8 8" },
	mark: { path: (long) => `M0 4.5 4.5 0 9 4.5 4.5 9zM9 4.5H${long}`, solid: true, tile: "M0 8 8 0" },
	label: { path: (long) => `M0 9V0H${long}V5H1.5V9z`, solid: true },
};

/** The shape of a kind, and a piece of its hatching, as a picture of the legend. */
export function markIcon(kind = "") {
	const { path, solid, tile = "" } = SHAPES[kind] ?? SHAPES.mark;
	const props = { viewBox: `-6 -2 ${tile ? 38 : 18} 13`,
		class: `key ${tile && "tiled"}`, "aria-hidden": "true", style: `color:var(--${kind})` };
	return svg("svg", props, svg("path", { d: path(LEAST_PX), class: solid ? "" : "line" }),
		...(tile ? [14, 22] : []).map((at) => svg("path", { d: tile, class: "line", transform: `translate(${at})` })));
}

/**
 * @param {import("./drawing.js").Picture} picture @param {CanvasRenderingContext2D} context
 * @param {Mark[]} marks in the order of their start @param {{top: number, lane: number, count: number}} lanes in pixels
 */
export function drawMarks(picture, context, marks, { top, lane, count }) {
	let free = 0;
	/** Where the last shape of each kind, and the last hatching of each kind and lane, ends. @type {Record<string, number>} */
	const ends = {};
	/** @type {Record<string, CanvasPattern | null | undefined>} */
	const hatches = {};
	context.lineWidth = 1.5;
	for (const { kind, label, start_s: start, end_s: end, channel } of marks) {
		const [left, right] = [picture.x(start), Math.min(picture.x(end), picture.width + 20)];
		if (right < -LEAST_PX || left > picture.width || (channel ?? 0) >= count) continue;
		const shape = SHAPES[kind] ?? SHAPES.mark;
		context.fillStyle = context.strokeStyle = picture.colour(kind);
		// What begins before the picture keeps its shape's end in sight. Ten thousand marks are as many shapes as fit.
		const from = Math.max(left, -LEAST_PX);
		const end_px = ends[kind] ?? -Infinity;
		if (left >= end_px || right > end_px + LEAST_PX) {
			ends[kind] = Math.max(right, left + LEAST_PX);
			drawShape(context, shape, from, right - from);
		}
		if (/mark|label|moment/.test(kind) && left + LEAST_PX >= free) {
			const long = context.measureText(label).width;
			const at = clamp(left + 3, 0, picture.width - long);
			if (at >= free) context.fillText(label, at, 11);
			if (at >= free) free = at + long + 8;
		}
		const [first, high] = channel === null ? [0, count] : [channel, 1];
		const lanes = kind + channel;
		const begin = Math.max(left, ends[lanes] ?? -Infinity);
		// Less than two pixels beside the one before would not be seen apart from it.
		if (begin > left && right < begin + 2) continue;
		ends[lanes] = Math.max(right, begin + 1.5);
		const area = /** @type {[number, number, number, number]} */ ([begin, top + first * lane, ends[lanes] - begin, high * lane]);
		context.globalAlpha = 0.1;
		context.fillRect(...area);
		context.globalAlpha = 0.6;
		context.fillStyle = (hatches[kind] ??= hatch(context, shape.tile)) ?? "transparent";
		context.fillRect(...area);
		context.globalAlpha = 1;
	}
}

/** @param {CanvasRenderingContext2D} context @param {(typeof SHAPES)[string]} shape */
function drawShape(context, { path, solid }, left = 0, long = 0) {
	context.save();
	context.translate(left, SHAPES_AT_PX);
	const drawn = new Path2D(path(Math.max(LEAST_PX, long)));
	if (solid) context.fill(drawn);
	context.stroke(drawn);
	context.restore();
}

/** A pattern of lines in the colour of the context. @param {CanvasRenderingContext2D} context */
function hatch(context, tile = "") {
	if (!tile) return null;
	const ratio = window.devicePixelRatio || 1;
	const canvas = document.createElement("canvas");
	canvas.width = canvas.height = TILE_PX * ratio;
	const pen = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
	pen.scale(ratio, ratio);
	pen.strokeStyle = context.strokeStyle;
	pen.stroke(new Path2D(tile));
	const pattern = context.createPattern(canvas, "repeat");
	pattern?.setTransform(new DOMMatrix().scale(1 / ratio));
	return pattern;
}
