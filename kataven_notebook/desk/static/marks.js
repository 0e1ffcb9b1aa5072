// The marks of a call: above the lanes what each is, on the lanes where it is.
import { clamp } from "./clock.js";

/**
 * @param {import("./drawing.js").Picture} picture @param {CanvasRenderingContext2D} context
 * @param {Mark[]} marks in the order of their start @param {{top: number, lane: number, count: number}} lanes in pixels
 */
export function drawMarks(picture, context, marks, { top, lane, count }) {
	let free = 0;
	for (const { kind, label, start_s: start, end_s: end, channel } of marks) {
		const [left, across] = [picture.x(start), Math.max(2, picture.x(end) - picture.x(start))];
		context.fillStyle = picture.colour(kind);
		if (kind === "interruption") context.fill(new Path2D(`M${left - 5} 13h10l-5 10z`));
		else context.fillRect(left, 16, across, 5);
		const long = context.measureText(label).width;
		const at = clamp(left + 3, 0, picture.width - long);
		if (/mark|label/.test(kind) && at >= free && left + across > 0 && left < picture.width) {
			context.fillText(label, at, 11);
			free = at + long + 8;
		}
		context.globalAlpha = 0.14;
		const [first, high] = channel === null ? [0, count] : [channel, 1];
		context.fillRect(left, top + first * lane, across, high * lane);
		context.globalAlpha = 1;
	}
}
