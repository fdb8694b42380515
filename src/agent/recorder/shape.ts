/** A part of a drawing, in SVG's words: pages that are written and pages that are alive draw the same. */
export interface Shape {
  tag: "g" | "path" | "circle" | "rect" | "text";
  attributes: Readonly<Record<string, string | number>>;
  children?: readonly Shape[];
  text?: string;
}

/** What is drawn over a picture, in units of `width` × `height`. */
export interface Drawing {
  width: number;
  height: number;
  shapes: readonly Shape[];
}
