import { describe, expect, it } from "vitest";
import { checkDigit, checkMrz, dateParts, fullDate, mrzDate, mrzPreview, normaliseNumber, numberCheckDigit, partialDate, typedDate, validBirth, validDate, validNumber } from "../src/mrz";

const now = new Date("2026-11-24T12:00:00Z");

describe("check digits", () => {
  it("are those of the worked examples", () => {
    // ICAO Doc 9303-3 §4.9, examples 1 and 2; Doc 9303-4 appendix A.
    expect(checkDigit("520727")).toBe(3);
    expect(checkDigit("AB2134<<<")).toBe(5);
    expect(checkDigit("L898902C3")).toBe(6);
    expect(checkDigit("740812")).toBe(2);
    expect(checkDigit("120415")).toBe(9);
    expect(checkDigit("L898902C3674081221204159ZE184226B<<<<<1")).toBe(0);
  });

  it("fill a short number with chevrons", () => {
    expect(numberCheckDigit("AB2134")).toBe(5);
    expect(mrzPreview("l8989 02c3", "1974-08-12", "2012-04-15")).toEqual([
      { value: "L898902C3", digit: 6 },
      { value: "740812", digit: 2 },
      { value: "120415", digit: 9 },
    ]);
  });
});

describe("what people type", () => {
  it("is read in any case, with spaces and dashes", () => {
    expect(normaliseNumber(" l8989-02 c3 ")).toBe("L898902C3");
    expect(validNumber("L898902C3")).toBe(true);
    for (const bad of ["", "AB1", "ÉRIKSSON1", "A".repeat(23)]) expect(validNumber(normaliseNumber(bad))).toBe(false);
  });

  it("is a date of the calendar or none", () => {
    expect(validDate("2024-02-29")).toBe(true);
    for (const bad of ["2023-02-29", "2026-13-01", "12/08/1974", "", "1974-8-12"]) expect(validDate(bad)).toBe(false);
    expect(mrzDate("1974-08-12")).toBe("740812");
  });

  it("is typed as three numbers, with or without leading zeros, and survives being half typed", () => {
    expect(fullDate(typedDate({ year: "1974", month: "8", day: " 2" }))).toBe("1974-08-02");
    expect(dateParts(typedDate({ year: "", month: "8", day: "" }))).toEqual({ year: "", month: "8", day: "" });
    expect(dateParts("1974-08-12")).toEqual({ year: "1974", month: "08", day: "12" });
    for (const half of ["", "1974", "1974-8-", "74-8-12", "1974-8-1x", "1974-13-01"]) expect(validDate(fullDate(half)), half).toBe(false);
  });

  it("is a date of birth without its day, or day and month, where the document has none", () => {
    expect(partialDate(typedDate({ year: "1974", month: "8", day: "" }))).toBe("1974-08");
    expect(partialDate(typedDate({ year: "1974", month: "", day: "" }))).toBe("1974");
    expect(partialDate(typedDate({ year: "1974", month: "8", day: "2" }))).toBe("1974-08-02");
    expect(mrzDate("1974-08")).toBe("7408<<");
    expect(mrzDate("1974")).toBe("74<<<<");
    // Doc 9303-3 §4.9: a filler counts 0.
    expect(mrzPreview("L898902C3", "1974-08", "2012-04-15")[1]).toEqual({ value: "7408<<", digit: checkDigit("740800") });
    for (const good of ["1974", "1974-08", "2026", "2026-11", "2026-11-23"]) expect(validBirth(good, now), good).toBe(true);
    for (const bad of ["", "74", "1974-13", "1974-00", "1974--02", "2027", "2026-12", "2026-11-24", "1899", "1974-8"]) expect(validBirth(bad, now), bad).toBe(false);
    expect(checkMrz({ number: "L898902C3", birth: "1974", expiry: "2032-04-15" }, now)).toEqual({});
    expect(checkMrz({ number: "L898902C3", birth: partialDate("--2"), expiry: "2032-04-15" }, now)).toEqual({ birth: "birth" });
  });

  it("gets one error for each wrong answer", () => {
    expect(checkMrz({ number: "L898902C3", birth: "1974-08-12", expiry: "2032-04-15" }, now)).toEqual({});
    expect(checkMrz({ number: "", birth: "", expiry: "" }, now)).toEqual({ number: "number", birth: "birth", expiry: "expiry" });
    expect(checkMrz({ number: "L898902C3", birth: "2030-01-01", expiry: "2026-11-23" }, now)).toEqual({ birth: "birth", expiry: "expired" });
    expect(checkMrz({ number: "L898902C3", birth: "1974-08-12", expiry: "2026-11-24" }, now)).toEqual({});
  });
});
