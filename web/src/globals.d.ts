/** Version of the page, from package.json. */
declare const __VERSION__: string;
/** Origin of the server when it is not the page's own: in development only. */
declare const __ORIGIN__: string | undefined;
