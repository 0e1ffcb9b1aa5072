// The data that the modules of desk/static name in their JSDoc. Only tsc reads it, so it is not shipped.

/** Seconds from the start of a call. */
interface Span {
  start: number;
  end: number;
}

type Sound = Blob | { url: string };
/** A text for each column: the session first, the labels last. */
type Row = [key: number, status: string, ...texts: string[]];
/** With `number` its texts stand on the right. */
type Column = { id: string; title: string; number?: boolean };

interface Mark {
  kind: "overlap" | "interruption" | "silence" | "slow" | "clipping" | "moment" | "mark" | "label";
  label: string;
  start_s: number;
  end_s: number;
  channel: number | null;
}

interface Moment {
  key: number;
  session: string;
  at: string;
  /** Where to start hearing it: before it. */
  from_s: number;
  kind: string;
  detail: string;
}

/** What is decided: a label, a note, or both; without times on the whole call. */
interface Content {
  label: string;
  note: string;
  start_s: number | null;
  end_s: number | null;
}

interface Decision extends Content {
  id: string;
  /** Who decided, and when. */
  by: string | null;
  at: string;
  /** Whether the listener may have decided it. */
  own: boolean;
}

/** Something that was told of a decision: what it is from now on, nothing where it is taken back. */
interface Told {
  type: "label" | "relabel" | "unlabel";
  op: string;
  key: number;
  /** As the page names the call. */
  title?: string;
  session: string;
  id: string;
  /** Who told it. */
  by: string | null;
  state?: Decision;
  /** What of the state is new, where the decision was there before. */
  changed?: string[];
}

/** That the kernel has not saved yet. */
interface Waiting extends Told {
  /** When it was pressed. */
  at: number;
  owner?: { gone: boolean; model: any };
  /** Whether it comes from a player that is gone. */
  late?: boolean;
  /** Whether the answer should have come. */
  overdue?: boolean;
  /** Why the kernel could not save it. */
  why?: string;
}

/** Peaks of a part of a call, finer than those of the whole: of each channel all lowest samples, then all highest. */
interface Detail {
  from_s: number;
  to_s: number;
  first_bin: number;
  bins: number;
  bins_per_s: number;
  /** Whether a bin is one sample. */
  is_finest: boolean;
  samples: Int16Array;
}

/** The spectrogram of a part of a call: of each channel its rows, from high to low, a level a column. */
interface Spectrum {
  from_s: number;
  to_s: number;
  channels: number;
  columns: number;
  rows: number;
  top_hz: number;
  /** What a level of 0 means, and how much more the next one. */
  floor_db: number;
  step_db: number;
  levels: Uint8Array;
}

/** What is said in a call, in the order in which it is read. */
interface Transcript {
  word: string[];
  /** In seconds, a word each; -1 where it isn't known. */
  start: number[];
  end: number[];
  /** The speaker of each word. */
  who: number[];
  /** The first word of each turn. */
  turns: number[];
  speakers: [name: string, role: string, channel: number][];
  unsure: Set<number>;
  /** How many words there are once all have come. */
  total: number;
  note: string;
}

/** What the page knows of one call. */
interface Call {
  key: number;
  index: number;
  /** Its id, once the kernel has sent it. */
  session?: string;
  title: string;
  /** Why it can't be heard; empty when it can. */
  reason: string;
  facts: string;
  duration_s?: number;
  channels?: number;
  names?: string[];
  /** Whose each channel is: "agent", "caller" or "". */
  roles?: string[];
  words?: Transcript;
  marks?: Mark[];
  /** The kinds of its marks, with their names. */
  legend?: [kind: string, name: string][];
  /** Starts and ends of speech, a channel each. */
  speech?: [number, number][][];
  labels?: Decision[];
  sound?: Sound;
  /** What it is called when it is saved. */
  file?: string;
  /** The newest delivery of it: how much of its picture has come, and of its sound. */
  arriving?: { delivery: number; bins: number; parts?: BlobPart[] };
  /** Whether its picture is whole. */
  isDrawn?: boolean;
  /** Whether the kernel was asked to decode it. */
  decoded?: boolean;
  /** A byte a bin and channel. */
  peaks?: Uint8Array[];
  bins_per_s?: number;
  loudest?: number;
  /** What is written where there are no peaks to draw. */
  wave?: string;
}
