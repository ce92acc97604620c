import { type TSchema, Type } from "typebox";
import { durationPattern, sizePattern } from "./units.ts";

// The kinds of settings. Each says what it is: docs/configuration.md is made of that.

export const optional = Type.Optional;

export const object = <Properties extends Record<string, TSchema>>(properties: Properties, options = {}) =>
  Type.Object(properties, { additionalProperties: false, ...options });

/** Settings that stand together, and of which none must be given. */
export const section = <Properties extends Record<string, TSchema>>(
  description: string,
  properties: Properties,
) => object(properties, { description, default: {} });

export const text = (description: string, options = {}) =>
  Type.String({ minLength: 1, description, ...options });

export const duration = (description: string, byDefault?: string) =>
  Type.String({ pattern: durationPattern, description, ...defaulting(byDefault) });

export const size = (description: string, byDefault: string) =>
  Type.String({ pattern: sizePattern, description, default: byDefault });

export const oneOf = <const Names extends readonly string[]>(
  description: string,
  names: Names,
  byDefault?: Names[number],
) => Type.Unsafe<Names[number]>(Type.Enum([...names], { description, ...defaulting(byDefault) }));

export const yesOrNo = (description: string, byDefault?: boolean) =>
  Type.Boolean({ description, ...defaulting(byDefault) });

export const whole = (
  description: string,
  options: { minimum: number; maximum?: number; default?: number },
) => Type.Integer({ description, ...options });

export const share = (description: string, byDefault?: number) =>
  Type.Number({ description, minimum: 0, maximum: 1, ...defaulting(byDefault) });

export const list = <Item extends TSchema>(description: string, items: Item, options = {}) =>
  Type.Array(items, { description, ...options });

export const byName = <Value extends TSchema>(description: string, pattern: string, value: Value) =>
  Type.Record(Type.String({ pattern }), value, { description, default: {} });

/** @param expected what is said of a value that none of them takes. */
export const either = <Choices extends TSchema[]>(
  description: string,
  choices: [...Choices],
  { expected, ...options }: { expected: string; default?: unknown },
) => Type.Union(choices, { description, expected, ...options });

function defaulting<Value>(value: Value | undefined): { default?: Value } {
  return value === undefined ? {} : { default: value };
}
