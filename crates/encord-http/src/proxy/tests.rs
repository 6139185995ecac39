//! Which proxy a request goes through, and which proxies are refused.

use proptest::prelude::*;

use super::{Proxies, Proxy};
use encord_signed_url::Origin;
use http::Uri;

fn origin(url: &str) -> Origin {
    Origin::of(&url.parse::<Uri>().expect("a URL")).expect("an origin")
}

#[track_caller]
fn check(variables: &[(&str, &str)], url: &str, expected: &str) {
    let proxies = Proxies::from_variables(variables.iter().copied());
    let selected = match proxies.select(&origin(url)) {
        Ok(None) => "straight".to_owned(),
        Ok(Some(proxy)) => proxy.to_string(),
        Err(fault) => fault.to_string(),
    };
    assert_eq!(selected, expected, "{variables:?} {url}");
}

#[test]
fn the_variable_for_the_scheme_goes_before_the_one_for_all() {
    let all = ("ALL_PROXY", "http://a:1");
    check(&[], "http://h/", "straight");
    check(&[all], "http://h/", "a:1");
    check(&[all], "https://h/", "a:1");
    check(&[all, ("HTTP_PROXY", "http://p:1")], "http://h/", "p:1");
    check(&[all, ("HTTP_PROXY", "http://p:1")], "https://h/", "a:1");
    check(&[("HTTP_PROXY", "http://p:1")], "https://h/", "straight");
    check(&[("HTTPS_PROXY", "http://p:1")], "http://h/", "straight");
    check(&[("HTTPS_PROXY", "http://p:1")], "https://h/", "p:1");
    check(&[("HTTPS_PROXY", "")], "https://h/", "straight");
    check(&[all, ("HTTPS_PROXY", "")], "https://h/", "a:1");
}

#[test]
fn lower_case_goes_before_upper_case() {
    check(&[("http_proxy", "l:1")], "http://h/", "l:1");
    check(&[("http_proxy", "l:1"), ("HTTP_PROXY", "u:1")], "http://h/", "l:1");
    check(&[("HTTPS_PROXY", "u:1"), ("https_proxy", "l:1")], "https://h/", "l:1");
    check(&[("https_proxy", ""), ("HTTPS_PROXY", "u:1")], "https://h/", "u:1");
    check(&[("all_proxy", "l:1"), ("ALL_PROXY", "u:1")], "https://h/", "l:1");
    check(&[("ALL_PROXY", "a:1"), ("no_proxy", "h"), ("NO_PROXY", "other")], "https://h/", "straight");
    check(&[("Http_Proxy", "m:1")], "http://h/", "straight");
}

#[test]
fn the_proxy_header_of_a_cgi_request_is_not_a_variable() {
    let cgi = ("REQUEST_METHOD", "GET");
    check(&[("HTTP_PROXY", "u:1"), cgi], "http://h/", "straight");
    check(&[cgi, ("http_proxy", "l:1"), ("HTTP_PROXY", "u:1")], "http://h/", "l:1");
    check(&[cgi, ("HTTPS_PROXY", "u:1")], "https://h/", "u:1");
}

#[test]
fn no_proxy_names_hosts_domains_addresses_networks_and_all() {
    for (list, url, excepted) in [
        ("example.com", "https://example.com/", true),
        ("example.com", "https://EXAMPLE.com:8443/", true),
        ("example.com", "https://www.example.com/", true),
        ("example.com", "https://notexample.com/", false),
        ("example.com", "https://example.com.org/", false),
        (".example.com", "https://example.com/", true),
        ("example.com.", "https://example.com/", true),
        ("*.", "https://example.com/", false),
        (".example.com", "http://a.b.example.com/", true),
        ("a,b", "http://b/", true),
        (" a , b ", "http://b/", true),
        ("a b\tc", "http://a/", true),
        ("a b\tc", "http://b/", true),
        ("a b\tc", "http://c/", true),
        ("a b\tc", "http://ab/", false),
        ("10.0.0.0/8", "http://10.200.3.4/", true),
        ("10.0.0.0/8", "http://11.0.0.1/", false),
        ("127.0.0.1", "http://127.0.0.1:8000/", true),
        ("127.0.0.1", "http://127.0.0.2:8000/", false),
        ("::1", "http://[::1]:8000/", true),
        ("fe80::/10", "http://[fe80::1]/", true),
        ("fe80::/10", "http://[fec0::1]/", false),
        ("fe80::/10", "http://fe80/", false),
        ("fe80::/10,*", "http://[fec0::1]/", true),
        ("fe80::/10,*", "http://h/", true),
        ("*", "https://example.com/", true),
        ("*", "http://127.0.0.1/", true),
        ("a, *", "http://[::1]/", true),
        ("*.example.com", "http://example.org/", false),
        ("", "http://127.0.0.1/", false),
        (",.,", "http://h/", false),
        (",.,", "http://www.h.org/", false),
        (",.,", "http://127.0.0.1/", false),
        (",.,", "http://[::1]/", false),
        ("", "http://localhost/", false),
        ("localhost", "http://localhost/", true),
        ("h:8080", "http://h:8080/", true),
        ("h:8080", "http://h/", false),
        ("h:80", "http://h/", true),
        ("h:443", "https://www.h/", true),
        ("h:x", "http://h/", false),
        ("127.0.0.1:8080", "http://127.0.0.1:8080/", true),
        ("127.0.0.1:8080", "http://127.0.0.1:8081/", false),
        ("[::1]:8080", "http://[::1]:8080/", true),
        ("[::1]:8080", "http://[::1]/", false),
        ("h.", "http://h/", true),
        ("h", "http://h./", true),
        ("h.", "http://www.h./", true),
    ] {
        check(&[("ALL_PROXY", "p:1"), ("NO_PROXY", list)], url, if excepted { "straight" } else { "p:1" });
    }
}

#[test]
fn a_variable_that_names_no_proxy_fails_the_requests_that_need_it() {
    let socks = ("ALL_PROXY", "socks5://me:s3cret@p:1");
    let refused = "the proxy cannot be used: ALL_PROXY: proxies of the scheme socks5 are not supported, only those of http \
                   and https are";
    check(&[socks], "http://h/", refused);
    check(&[socks, ("NO_PROXY", "h")], "http://h/", "straight");
    check(&[socks, ("HTTPS_PROXY", "p:2")], "https://h/", "p:2");
    let empty = "the proxy cannot be used: http_proxy: the proxy's URL cannot be parsed: empty string";
    check(&[("http_proxy", "http://")], "http://h/", empty);
}

#[track_caller]
fn proxy(url: &str, expected: Result<(&str, &str), &str>) {
    let proxy = Proxy::new(url);
    let shown = format!("{proxy:?}");
    assert!(!shown.contains("s3c"), "{shown}");
    let found = proxy.map(|proxy| {
        (proxy.origin().to_string(), proxy.authorization().map_or("", |value| value.to_str().unwrap()).to_owned())
    });
    let expected = expected.map(|(uri, authorization)| (uri.to_owned(), authorization.to_owned()));
    assert_eq!(found.map_err(|e| e.to_string()), expected.map_err(str::to_owned), "{url}");
}

#[test]
fn the_url_of_a_proxy() {
    proxy("http://p:3128", Ok(("http://p:3128", "")));
    proxy(" p:3128 ", Ok(("http://p:3128", "")));
    proxy("p", Ok(("http://p:80", "")));
    proxy("https://p", Ok(("https://p:443", "")));
    proxy("http://p:3128/path?query", Ok(("http://p:3128", "")));
    proxy("http://me:s3cret@p:3128", Ok(("http://p:3128", "Basic bWU6czNjcmV0")));
    proxy("me:s3cret@p:3128", Ok(("http://p:3128", "Basic bWU6czNjcmV0")));
    proxy("http://me@p", Ok(("http://p:80", "Basic bWU6")));
    proxy("http://m%40e:s3c%2Fr%3Aet@p", Ok(("http://p:80", "Basic bUBlOnMzYy9yOmV0")));
    proxy("http://[::1]:3128", Ok(("http://[::1]:3128", "")));
    proxy("http://p:99999", Err("the port of the proxy's URL is not a number from 1 to 65535"));
    proxy("http://p:0", Err("the port of the proxy's URL is not a number from 1 to 65535"));
    let scheme = "proxies of the scheme socks5 are not supported, only those of http and https are";
    proxy("socks5://me:s3cret@p:1080", Err(scheme));
    proxy("", Err("the proxy's URL cannot be parsed: empty string"));
    proxy("/s3cret", Err("the proxy's URL cannot be parsed: invalid format"));
    proxy("http://me:s3cret@", Err("the proxy's URL cannot be parsed: invalid authority"));
    let at = "the proxy's URL cannot be parsed: an @ that does not end the credentials";
    proxy("http://me:s3c@ret@p", Err(at));
    proxy("http://me:3/s3cret@p", Err(at));
    proxy("http://me:3#s3cret@p", Err(at));
    proxy("http://me:s3c ret@p", Err("the proxy's URL cannot be parsed: invalid uri character"));
}

#[test]
fn an_http_request_carries_the_credentials_and_a_tunnelled_one_does_not() {
    let proxies = Proxies::all(Proxy::new("http://me:s3cret@p:1").unwrap()).except("straight");
    let authorization = |uri: &str| proxies.authorization(&origin(uri)).map(|value| value.to_str().unwrap());
    assert_eq!(authorization("http://h/"), Some("Basic bWU6czNjcmV0"));
    assert_eq!(authorization("https://h/"), None);
    assert_eq!(authorization("http://straight/"), None);
    let shown = "Proxies { http: Some(Ok(Proxy(p:1))), https: Some(Ok(Proxy(p:1))), exceptions: Exceptions([Name(\"straight\", None)]) }";
    assert_eq!(format!("{proxies:?}"), shown);
}

fn goes_through_the_proxy(list: &str, host: &str) -> bool {
    let proxies = Proxies::all(Proxy::new("p").expect("a proxy")).except(list);
    proxies.select(&origin(&format!("https://{host}:8443/a?b"))).expect("a proxy that can be used").is_some()
}

/// Whether curl treats the host as an exception. The name must have no blank, no comma, and no dot at either end.
fn curl_finds(list: &str, host: &str) -> bool {
    list.split([' ', '\t', ',']).any(|token| {
        let name = token.strip_suffix('.').unwrap_or(token);
        let name = name.strip_prefix('.').unwrap_or(name).to_ascii_lowercase();
        token == "*" || host == name || !name.is_empty() && host.ends_with(&format!(".{name}"))
    })
}

proptest! {
    #[test]
    fn a_host_that_no_proxy_names_goes_straight_whatever_is_around_it(
        before in "[ -~]{0,30}",
        host in r"[a-z][a-z0-9-]{0,8}(\.[a-z]{2,4}){0,2}",
        after in "[ -~]{0,30}",
        separators in prop::array::uniform2("[, \t]{1,3}"),
    ) {
        let [left, right] = separators;
        let list = format!("{before}{left}{host}{right}{after}");
        for host in [&*host, &format!("www.{host}"), &host.to_ascii_uppercase()] {
            prop_assert!(!goes_through_the_proxy(&list, host), "{list:?} {host}");
        }
    }

    #[test]
    fn a_host_that_curl_does_not_find_in_no_proxy_goes_through_the_proxy(
        list in prop_oneof!["[ -~]{0,30}", r"[a-c.*, \t]{0,20}", r"([.]?[a-cA-C]{1,2}([.][a-c]{1,2}){0,2}[., \t]){0,6}"],
        host in r"[a-c]{1,2}(\.[a-c]{1,2}){0,2}",
    ) {
        prop_assert!(curl_finds(&list, &host) || goes_through_the_proxy(&list, &host));
    }

    #[test]
    fn no_password_is_shown(around in prop::array::uniform2(prop_oneof!["[ -~]{0,12}", r"\PC{0,6}"])) {
        let [before, after] = around;
        for url in [format!("http://me:{before}s3cret{after}@p"), format!("me:{before}s3cret{after}@p")] {
            let proxy = Proxy::new(&url);
            let proxies = Proxies::from_variables([("ALL_PROXY", &url)]);
            let selected = proxies.select(&origin("http://h/"));
            let shown = format!("{proxy:?} {proxies:?} {selected:?}");
            let told = match (&proxy, &selected) {
                (Ok(proxy), _) => {
                    prop_assert_eq!(proxy.to_string(), "p:80", "{}", url);
                    String::new()
                }
                (Err(error), Err(fault)) => format!("{error} {fault}"),
                (Err(error), Ok(_)) => panic!("{error}"),
            };
            prop_assert!(!shown.contains("s3cret") && !told.contains("s3cret"), "{shown} {told}");
        }
    }
}
