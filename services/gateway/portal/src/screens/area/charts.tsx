/** Charts of shares. Parts are told apart by number and words; shades only repeat them, and what is hidden is hatched. */

import { useId } from "preact/hooks";

export interface Part {
  name: string;
  /** In percent; null where it is hidden. */
  share: number | null;
}

interface ChartProps {
  title: string;
  /** What it shows, in a sentence. */
  sentence: string;
  parts: readonly Part[];
  /** How it is said that a part is hidden. */
  hidden: string;
}

/** Narrower ones bear no number. */
const NUMBERED = 7;

/** One bar cut into the parts of a whole; what the hidden ones come to together is hatched. */
export function ShareBar({ title, sentence, parts, hidden }: ChartProps) {
  const name = useId();
  let from = 0;
  const drawn = parts.map(({ share }) => {
    const x = from;
    from += share ?? 0;
    return { x, width: share ?? 0 };
  });
  const left = parts.some(({ share }) => share === null) ? 100 - from : 0;
  return (
    <figure>
      <svg class="share" role="img" aria-labelledby={`${name}-title ${name}-what`}>
        <title id={`${name}-title`}>{title}</title>
        <desc id={`${name}-what`}>{sentence}</desc>
        <Hatch id={`${name}-hatch`} />
        {drawn.map(({ x, width }, at) => (
          <g key={at} class={`part p${at + 1}`}>
            <rect x={`${x}%`} width={`${width}%`} height="100%" />
            {width >= NUMBERED && (
              <text x={`${x + width / 2}%`} y="50%">
                {at + 1}
              </text>
            )}
          </g>
        ))}
        {left > 0 && <rect x={`${from}%`} width={`${left}%`} height="100%" fill={`url(#${name}-hatch)`} />}
      </svg>
      <ol class="legend">
        {parts.map((part, at) => (
          <li key={part.name} class={part.share === null ? "hidden" : `p${at + 1}`}>
            <b aria-hidden="true">{at + 1}</b>
            {part.name}
            {part.share === null && `（${hidden}）`}
          </li>
        ))}
      </ol>
    </figure>
  );
}

/** A bar from none to all for each of some that may overlap. */
export function Bands({ title, sentence, parts, hidden }: ChartProps) {
  const name = useId();
  return (
    <figure>
      <svg class="bands" role="img" aria-labelledby={`${name}-title ${name}-what`} height={`${parts.length * 3}rem`}>
        <title id={`${name}-title`}>{title}</title>
        <desc id={`${name}-what`}>{sentence}</desc>
        <Hatch id={`${name}-hatch`} />
        {parts.map((part, at) => (
          <g key={part.name}>
            <text y={`${at * 3 + 1.2}rem`}>{part.share === null ? `${part.name}（${hidden}）` : part.name}</text>
            <rect class="track" y={`${at * 3 + 1.75}rem`} width="100%" height="0.75rem" />
            <rect
              y={`${at * 3 + 1.75}rem`}
              class={part.share === null ? "" : "band"}
              width={part.share === null ? "100%" : `${part.share}%`}
              height="0.75rem"
              fill={`url(#${name}-hatch)`}
            />
          </g>
        ))}
      </svg>
    </figure>
  );
}

function Hatch({ id }: { id: string }) {
  return (
    <pattern id={id} width="7" height="7" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">
      <rect class="hatch-ground" width="7" height="7" />
      <rect class="hatch-line" width="2" height="7" />
    </pattern>
  );
}
