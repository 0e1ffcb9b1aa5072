// Times as people read them, and numbers kept in their range.

export const clamp = (value = 0, low = 0, high = Infinity) => Math.max(low, Math.min(value, high));

/** Write seconds as 1:02:03 or 2:03.4, rounded down: no time is shown before it is reached. */
export function clock(seconds = 0, digits = 0) {
	const tenths = Math.floor(clamp(seconds) * 10 + 1e-6);
	const [s, m, h] = [Math.floor(tenths / 10) % 60, Math.floor(tenths / 600) % 60, Math.floor(tenths / 36000)];
	const two = (n = 0) => String(n).padStart(2, "0");
	return `${h ? `${h}:${two(m)}` : m}:${two(s)}${digits ? `.${tenths % 10}` : ""}`;
}

/** @param {Span} span */
export const spanText = ({ start, end }) => `${clock(start, 1)} – ${clock(end, 1)}`;
