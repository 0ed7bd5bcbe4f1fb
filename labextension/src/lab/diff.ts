/** A line of a text that was changed. */
export interface ILine {
  kind: 'same' | 'gone' | 'new';
  text: string;
}

/** More lines than this are not compared one by one. */
const MOST = 2_000;

/** How one text became another, line by line, by their longest common subsequence. */
export function diff(before: string, after: string): ILine[] {
  const from = before.split('\n');
  const to = after.split('\n');
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) {
    start += 1;
  }
  let end = 0;
  while (
    end < from.length - start &&
    end < to.length - start &&
    from[from.length - 1 - end] === to[to.length - 1 - end]
  ) {
    end += 1;
  }
  const same = (text: string): ILine => ({ kind: 'same', text });
  return [
    ...from.slice(0, start).map(same),
    ...middle(from.slice(start, from.length - end), to.slice(start, to.length - end)),
    ...from.slice(from.length - end).map(same)
  ];
}

function middle(from: string[], to: string[]): ILine[] {
  if (from.length * to.length > MOST * MOST) {
    return [...from.map(gone), ...to.map(fresh)];
  }
  // lengths[i][j]: of the longest common subsequence of what follows i and j.
  const lengths = Array.from({ length: from.length + 1 }, () =>
    new Array<number>(to.length + 1).fill(0)
  );
  for (let i = from.length - 1; i >= 0; i -= 1) {
    for (let j = to.length - 1; j >= 0; j -= 1) {
      lengths[i]![j] =
        from[i] === to[j]
          ? lengths[i + 1]![j + 1]! + 1
          : Math.max(lengths[i + 1]![j]!, lengths[i]![j + 1]!);
    }
  }
  const lines: ILine[] = [];
  let i = 0;
  let j = 0;
  while (i < from.length && j < to.length) {
    if (from[i] === to[j]) {
      lines.push({ kind: 'same', text: from[i]! });
      i += 1;
      j += 1;
    } else if (lengths[i + 1]![j]! >= lengths[i]![j + 1]!) {
      lines.push(gone(from[i]!));
      i += 1;
    } else {
      lines.push(fresh(to[j]!));
      j += 1;
    }
  }
  return [...lines, ...from.slice(i).map(gone), ...to.slice(j).map(fresh)];
}

function gone(text: string): ILine {
  return { kind: 'gone', text };
}

function fresh(text: string): ILine {
  return { kind: 'new', text };
}
