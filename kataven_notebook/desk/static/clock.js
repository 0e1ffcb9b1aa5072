// Times as people read them, and numbers kept in their range.

export const clamp = (value = 0, low = 0, high = Infinity) => Math.max(low, Math.min(value, high));

/** Write seconds as 1:02:03 or 2:03.4, rounded down: no time is shown before it is reached. */
export function clock(seconds = 0, digits = 0) {
	const unit = 10 ** digits;
	const units = Math.floor(clamp(seconds) * unit + 1e-6);
	const whole = Math.floor(units / unit);
	const [s, m, h] = [whole % 60, Math.floor(whole / 60) % 60, Math.floor(whole / 3600)];
	const padded = (n = 0, width = 2) => String(n).padStart(width, "0");
	return `${h ? `${h}:${padded(m)}` : m}:${padded(s)}${digits ? `.${padded(units % unit, digits)}` : ""}`;
}

/** @param {Span} span */
export const spanText = ({ start, end }) => `${clock(start, 1)} – ${clock(end, 1)}`;
