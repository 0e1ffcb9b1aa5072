// The types that player.js names in its JSDoc. Only tsc reads them, so they are not shipped.

/** Seconds from the start of a call. */
interface Span {
  start: number;
  end: number;
}

type Sound = Blob | { url: string; livesS: number };
type Row = [key: number, status: string, labels: string, session: string, ...cells: string[]];
type Column = { id: string; title: string; numeric?: boolean };
type Props = Record<string, string | number | boolean | undefined | ((event: any) => void)>;

interface Mark {
  kind: "speech" | "overlap" | "interruption" | "silence" | "slow" | "mark";
  label: string;
  start_s: number;
  end_s: number;
  channel: number | null;
}

interface Moment {
  key: number;
  session: string;
  start_s: number;
  kind: string;
  detail: string;
}

interface Decision {
  id: string;
  label: string;
  start_s: number | null;
  end_s: number | null;
  note: string;
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
  moments?: Moment[];
  labels?: Decision[];
  sound?: Sound;
  extension?: string;
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
  laneHeight(): number;
  show(call: Call, duration: number): void;
  zoom(factor: number, around: number): void;
  point(seconds: number, follow: boolean): void;
  setRegion(span: Span | null): void;
  draw(): void;
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
