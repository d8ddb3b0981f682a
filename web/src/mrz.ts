/** The machine readable zone as people type it: ICAO Doc 9303-3 §4.9, check digits. */

const weights = [7, 3, 1];

/** The check digit of MRZ characters (0-9, A-Z, <). */
export function checkDigit(characters: string): number {
  let sum = 0;
  for (let i = 0; i < characters.length; i++) {
    const c = characters.charAt(i);
    const value = c === "<" ? 0 : /[0-9]/.test(c) ? Number(c) : c.charCodeAt(0) - 55;
    sum += value * (weights[i % 3] ?? 0);
  }
  return sum % 10;
}

/** A document number as typed: capitals, without spaces and separators. */
export function normaliseNumber(typed: string): string {
  return typed.toUpperCase().replace(/[\s\-./<]/g, "");
}

/** Whether a document number can be one. */
export function validNumber(normalised: string): boolean {
  return /^[A-Z0-9]{5,22}$/.test(normalised);
}

/** The check digit that follows the number in the MRZ (nine characters, filled with <). */
export function numberCheckDigit(normalised: string): number {
  return checkDigit(normalised.padEnd(9, "<"));
}

/** YYMMDD of a date YYYY-MM-DD; fillers for what YYYY-MM and YYYY leave out. */
export function mrzDate(iso: string): string {
  return [iso.slice(2, 4), iso.slice(5, 7), iso.slice(8, 10)].map((part) => part.padEnd(2, "<")).join("");
}

/** Whether a text is a date of the calendar, YYYY-MM-DD. */
export function validDate(iso: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(iso)) return false;
  const when = new Date(`${iso}T00:00:00Z`);
  return !Number.isNaN(when.getTime()) && when.toISOString().startsWith(iso);
}

/** Whether a text is a date of birth as documents have it: of the calendar, perhaps without day and month, not in the future. */
export function validBirth(iso: string, now: Date = new Date()): boolean {
  const whole = validDate(iso);
  if (!whole && !/^\d{4}(-(0[1-9]|1[0-2]))?$/.test(iso)) return false;
  const latest = today(now).slice(0, iso.length);
  return iso >= "1900" && (whole ? iso < latest : iso <= latest);
}

export type DatePart = "year" | "month" | "day";

/** The parts of a date as far as typed. */
export function dateParts(typed: string): Record<DatePart, string> {
  const [year = "", month = "", day = ""] = typed.split("-");
  return { year, month, day };
}

/** The parts as one text: YYYY-MM-DD when they are complete, with or without leading zeros. */
export function typedDate(parts: Record<DatePart, string>): string {
  return [parts.year, parts.month, parts.day].map((part) => part.replaceAll("-", "").trim()).join("-");
}

/** A date as typed, with the leading zeros of month and day that people leave out. */
export function fullDate(typed: string): string {
  const { year, month, day } = dateParts(typed);
  return `${year}-${month.padStart(2, "0")}-${day.padStart(2, "0")}`;
}

/** A date as typed whose day, or day and month, may stay empty: YYYY-MM-DD, YYYY-MM or YYYY. */
export function partialDate(typed: string): string {
  const { year, month, day } = dateParts(typed);
  if (day !== "") return fullDate(typed);
  return month === "" ? year : `${year}-${month.padStart(2, "0")}`;
}

/** Today as YYYY-MM-DD. */
export function today(now: Date = new Date()): string {
  return now.toISOString().slice(0, 10);
}

export type MrzError = "number" | "birth" | "expiry" | "expired";

/** What is wrong with the three answers, by field. */
export function checkMrz(input: { number: string; birth: string; expiry: string }, now: Date = new Date()): Partial<Record<"number" | "birth" | "expiry", MrzError>> {
  const errors: Partial<Record<"number" | "birth" | "expiry", MrzError>> = {};
  if (!validNumber(normaliseNumber(input.number))) errors.number = "number";
  if (!validBirth(input.birth, now)) errors.birth = "birth";
  if (!validDate(input.expiry) || input.expiry > "2100") errors.expiry = "expiry";
  else if (input.expiry < today(now)) errors.expiry = "expired";
  return errors;
}

/** The three answers as the line of chevrons shows them, each with its check digit. */
export function mrzPreview(number: string, birth: string, expiry: string): { value: string; digit: number }[] {
  const normalised = normaliseNumber(number).padEnd(9, "<");
  return [normalised, mrzDate(birth), mrzDate(expiry)].map((value) => ({ value, digit: checkDigit(value) }));
}
