/** Version of the page, from package.json. */
declare const __VERSION__: string;
/** Origin of the server when it is not the page's own: in development only. */
declare const __ORIGIN__: string | undefined;
/** The program that is broken on purpose, as crates/protocol/src/mutants has it: in tests only, else empty. */
declare const __MUTANT__: string;
