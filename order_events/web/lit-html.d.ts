/** Types of the vendored library, for the check of the pages; see ADR 21. */
export interface Template {
  readonly _$litType$: number;
}
export declare function html(strings: TemplateStringsArray, ...values: unknown[]): Template;
export declare function svg(strings: TemplateStringsArray, ...values: unknown[]): Template;
export declare const nothing: unique symbol;
export declare function render(value: unknown, container: HTMLElement): unknown;
