/** The rendered person who plays in the demonstration: a woman, as the specimen's holder in ICAO 9303-4 is one. */
export const demoPerson = "p05";
