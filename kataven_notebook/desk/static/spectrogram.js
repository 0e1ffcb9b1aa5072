// The spectrogram of the part in sight, which the kernel computes: levels as colours, a lane a channel.
import { clamp } from "./clock.js";
import { element } from "./dom.js";
import { covers } from "./waves.js";

/** Levels between these, in dB, are told apart. */
const [FLOOR_DB, TOP_DB] = [-72, -10];

export class Spectrogram {
	#image = /** @type {CanvasRenderingContext2D} */ (element("canvas", {}).getContext("2d"));
	/** @type {Spectrum | undefined} */
	#sent;

	/** Whether it shows the part from..to, as fine as the screen. */
	isOf(from = 0, to = 0) {
		const sent = this.#sent;
		return sent && covers(sent, from, to) && sent.to_s - sent.from_s < 2.2 * (to - from);
	}

	/** @param {Spectrum | undefined} spectrum @param {import("./drawing.js").Picture} picture */
	receive(spectrum, picture) {
		this.#sent = spectrum;
		this.renew(picture);
	}

	/** Colour the levels: by the theme, and as many dB up as the waves of the lane are. @param {import("./drawing.js").Picture} picture */
	renew(picture) {
		if (!this.#sent) return;
		const { levels, columns, rows, channels, floor_db: floor, step_db: step } = this.#sent;
		const scale = colours(parseInt(picture.colour("faint").match(/\d+/)?.[0] ?? "") > 128);
		const { canvas } = this.#image;
		[canvas.width, canvas.height] = [columns, rows * channels];
		const image = this.#image.createImageData(columns, rows * channels);
		const pixels = new Uint32Array(image.data.buffer);
		for (let channel = 0; channel < channels; channel++) {
			const up = 20 * Math.log10(picture.gain(channel));
			const shade = Uint32Array.from({ length: 256 }, (_, level) =>
				scale[Math.round(clamp((floor + level * step + up - FLOOR_DB) / (TOP_DB - FLOOR_DB), 0, 1) * 255)]);
			const from = channel * rows * columns;
			for (let i = from; i < from + rows * columns; i++) pixels[i] = shade[levels[i]];
		}
		this.#image.putImageData(image, 0, 0);
	}

	/** @param {CanvasRenderingContext2D} context @param {import("./drawing.js").Picture} picture */
	draw(context, picture, lane = 0, top = 0, height = 0) {
		const sent = this.#sent;
		if (!sent) return;
		const { from_s: from, to_s: to, rows, columns, top_hz: hz } = sent;
		const left = picture.x(from);
		context.drawImage(this.#image.canvas, 0, lane * rows, columns, rows, left, top, picture.x(to) - left, height);
		const [every, ink, ground] = [hz > 6000 ? 2000 : 1000, picture.colour("text"), picture.colour("back")];
		context.lineWidth = 3;
		context.strokeStyle = ground;
		context.fillStyle = ink;
		for (let each = every; each < hz; each += every) {
			const y = top + height * (1 - each / hz);
			context.fillRect(0, y, 5, 1);
			context.strokeText(`${each / 1000} kHz`, 8, y + 4);
			context.fillText(`${each / 1000} kHz`, 8, y + 4);
		}
	}
}

/** 256 colours, from the theme's ground to its opposite, in even steps of lightness. */
function colours(dark = false) {
	const strip = /** @type {CanvasRenderingContext2D} */ (element("canvas", { width: 256, height: 1 }).getContext("2d"));
	for (let i = 0; i < 256; i++) {
		const [t, chroma] = [i / 255, 0.16 * Math.sin((Math.PI * i) / 255) ** 0.7];
		strip.fillStyle = `oklch(${dark ? 0.2 + 0.77 * t : 0.985 - 0.8 * t} ${chroma} ${dark ? 285 + 175 * t : 95 - 170 * t})`;
		strip.fillRect(i, 0, 1, 1);
	}
	return new Uint32Array(strip.getImageData(0, 0, 256, 1).data.buffer);
}
