//! Headers of each answer, whatever it is.

use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_DNS_PREFETCH_CONTROL, X_FRAME_OPTIONS,
};

/// Nothing from elsewhere, nothing inline, nobody around us; the radio's sound is made and played in
/// worklets and workers of our own. Text never becomes markup or code (Trusted Types) but through two
/// policies: the templates of Svelte, and `web/src/radio/scripts.ts` for the worker.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self'; worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'; require-trusted-types-for 'script'; \
    trusted-types svelte-trusted-html tenfour-workers";

/// What the page may ask the browser for: where it is, the microphone, sound before the first touch,
/// a screen that stays on, a link on the clipboard, and the platform (for the connection log).
/// All else that browsers offer is denied, so that no script could have it. What today's browsers no
/// longer know is not named: each load would be complained of in the console.
const PERMISSIONS: &str = "geolocation=(self), microphone=(self), autoplay=(self), screen-wake-lock=(self), \
    clipboard-write=(self), ch-ua-high-entropy-values=(self), cross-origin-isolated=(self), accelerometer=(), \
    browsing-topics=(), camera=(), captured-surface-control=(), clipboard-read=(), compute-pressure=(), \
    deferred-fetch=(), deferred-fetch-minimal=(), digital-credentials-get=(), display-capture=(), \
    encrypted-media=(), fullscreen=(), gamepad=(), gyroscope=(), hid=(), identity-credentials-get=(), \
    idle-detection=(), interest-cohort=(), keyboard-map=(), language-detector=(), language-model=(), \
    local-fonts=(), local-network=(), local-network-access=(), loopback-network=(), magnetometer=(), midi=(), \
    on-device-speech-recognition=(), otp-credentials=(), payment=(), picture-in-picture=(), \
    private-state-token-issuance=(), private-state-token-redemption=(), publickey-credentials-create=(), \
    publickey-credentials-get=(), serial=(), storage-access=(), summarizer=(), sync-xhr=(), translator=(), \
    unload=(), usb=(), window-management=(), xr-spatial-tracking=()";

/// Two years, as the preload lists want it.
const TRANSPORT: &str = "max-age=63072000";

/// Made once: each answer would check their bytes anew.
static ALWAYS: [(HeaderName, HeaderValue); 9] = [
    (CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY)),
    (HeaderName::from_static("cross-origin-opener-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("cross-origin-embedder-policy"), HeaderValue::from_static("require-corp")),
    (HeaderName::from_static("cross-origin-resource-policy"), HeaderValue::from_static("same-origin")),
    (HeaderName::from_static("permissions-policy"), HeaderValue::from_static(PERMISSIONS)),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // A name that stands in a link is looked up when somebody follows it, not before.
    (X_DNS_PREFETCH_CONTROL, HeaderValue::from_static("off")),
];

/// Adds what each answer carries. An answer that says nothing about caching is not kept.
pub(crate) fn secure(headers: &mut HeaderMap, tls: bool) {
    for (name, value) in &ALWAYS {
        headers.insert(name, value.clone());
    }
    if tls {
        headers.insert(STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(TRANSPORT));
    }
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}
