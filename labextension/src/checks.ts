/** What the checks of messages are made of: `generated/` says what each message holds. */

type Check = (value: unknown) => boolean;

/** Whether `value` is an object with keys, and no list. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string';
}

export function isYesOrNo(value: unknown): value is boolean {
  return typeof value === 'boolean';
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

export const isWhole: Check = Number.isInteger;

/** A text of at most so many characters, as a whole of this form. */
export function text(longest: number, form?: RegExp) {
  return (value: unknown): value is string =>
    isText(value) && value.length <= longest && (!form || form.test(value));
}

export function oneOf(...words: string[]): Check {
  return value => isText(value) && words.includes(value);
}

export function nullable(check: Check): Check {
  return value => value === null || check(value);
}

/** A field that may be missing. */
export function optional(check: Check): Check {
  return value => value === undefined || check(value);
}

export function listOf(check: Check, most = Infinity): Check {
  return value => Array.isArray(value) && value.length <= most && value.every(check);
}

export function mapOf(check: Check): Check {
  return value => isObject(value) && Object.values(value).every(check);
}

export function tuple(...checks: Check[]): Check {
  return value =>
    Array.isArray(value) &&
    value.length === checks.length &&
    checks.every((check, at) => check(value[at]));
}

/** An object whose fields pass their checks; what else it holds is not looked at. */
export function object<Message>(checks: { [Name in keyof Message]-?: Check }) {
  const entries = Object.entries<Check>(checks);
  return (value: unknown): value is Message =>
    isObject(value) && entries.every(([name, check]) => check(value[name]));
}

/** A message of one of these kinds, which its `type` names. */
export function tagged<Message extends { type: string }>(kinds: Record<Message['type'], Check>) {
  const checks = new Map<unknown, Check>(Object.entries<Check>(kinds));
  return (value: unknown): value is Message =>
    isObject(value) && checks.get(value.type)?.(value) === true;
}
