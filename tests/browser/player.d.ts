// The types that player.js names in its JSDoc. Only tsc reads them, so they are not shipped.

/** Seconds from the start of a call. */
interface Span {
  start: number;
  end: number;
}

type Sound = Blob | { url: string };
/** The texts are those of the session, the status, the caller's columns, and last the labels. */
type Row = [key: number, status: string, ...texts: string[]];
type Column = { id: string; title: string };
type Props = Record<string, string | number | boolean | undefined | ((event: any) => void)>;

interface Mark {
  kind: "overlap" | "interruption" | "silence" | "slow" | "mark" | "label";
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

interface Decision {
  id: string;
  text: string;
}

/** What the page knows of one call. */
interface Call {
  key: number;
  index: number;
  title: string;
  /** Why it can't be heard; empty when it can. */
  reason: string;
  facts: string;
  duration_s?: number;
  channels?: number;
  names?: string[];
  marks?: Mark[];
  /** The kinds of its marks, with their names. */
  legend?: [kind: string, name: string][];
  /** Starts and ends of speech, a channel each. */
  speech?: [number, number][][];
  /** The labels of the whole call. */
  pressed?: string[];
  labels?: Decision[];
  sound?: Sound;
  /** What it is called when it is saved. */
  file?: string;
  /** The sound so far, while it comes in parts. */
  parts?: BlobPart[];
  /** Whether the kernel was asked to decode it. */
  decoded?: boolean;
  /** A byte a bin and channel. */
  peaks?: Uint8Array[];
  bins_per_s?: number;
  loudest?: number;
}

interface SpeakerEvents {
  change(): void;
  needUrl(): void;
  cantPlay(): void;
  say(text: string): void;
}

interface Speaker {
  /** What the listener wants; the element's own state lags behind it. */
  wanted: boolean;
  speed: number;
  volume: number;
  loop: boolean;
  region: Span | null;
  position(): number;
  duration(): number;
  load(sound: Sound | undefined, at: number, gains: number[]): void;
  play(): void;
  pause(): void;
  seek(to: number): void;
  /** Apply speed and volume. */
  adjust(): void;
  /** One gain a channel; the audio graph is built when the first of them is not 1. */
  mix(gains: number[]): void;
  keepInRegion(): void;
  renew(fresh: Sound): void;
  dispose(): void;
}

interface View {
  node: HTMLElement;
  duration: number;
  from: number;
  to: number;
  region: Span | null;
  show(call: Call, duration: number): void;
  zoom(factor: number, around: number): void;
  point(seconds: number, follow: boolean): void;
  setRegion(span: Span | null): void;
  draw(): void;
  /** Draw anew if the theme is another one. */
  restyle(): void;
}

interface Grid {
  rows: Map<number, Row>;
  index: number;
  node: HTMLElement;
  bar: HTMLElement;
  total: number;
  step(by: number): void;
  /** Show which call is open. */
  mark(key: number, index: number): void;
  receive(message: any): void;
  relabel(key: number, labels: string): void;
  draw(): void;
}

/** A pointer that is down on the picture. */
interface Drag {
  x: number;
  from: number;
  /** On the axis: it seeks, and selects nothing. */
  scrub: boolean;
  moved: boolean;
}

interface ViewEvents {
  seek(to: number): void;
  region(span: Span): void;
}

type CreateGrid = (first: any, send: (message: object) => void, open: (row: Row, index: number) => void) => Grid;

/** What is done with each type of message from the kernel. */
type Handlers = Record<string, (message: any, known: Call | undefined, data: DataView) => void>;
