// What a listener likes, kept by the browser from one player to the next. Nothing of any call is in it.

const KEY = "kataven-player";

/** @typedef {{speed?: number, skips?: boolean}} Preferences */

/** @returns {Preferences} */
export function preferences() {
	try {
		return JSON.parse(localStorage.getItem(KEY) ?? "{}") ?? {};
	} catch {
		return {}; // some pages have no storage
	}
}

/** @param {Preferences} change */
export function prefer(change) {
	try {
		localStorage.setItem(KEY, JSON.stringify({ ...preferences(), ...change }));
	} catch {
		// It holds for this player.
	}
}
