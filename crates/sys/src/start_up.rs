//! Faster start-up of static programs.

/// Says that nothing is known of a thread's stack, in place of the C library's function.
///
/// Rust's runtime asks before `main`, and only so as to print "stack overflow" before it crashes.
/// glibc answers by reading and parsing `/proc/self/maps`, which is a twentieth of the life of a
/// program that only starts and ends, as many of qmail's do for each message; musl asks the kernel
/// about one page after the other. After a refusal, which callers have to expect, an overflow is a
/// crash without that line.
///
/// In a static program this definition comes first, and the library's is not even linked. A
/// dynamic one keeps the library's.
// SAFETY: name and signature are those of the C library's function (pthread_getattr_np(3)), and so
// is the behaviour: an error number, and `attributes` is not touched.
#[unsafe(no_mangle)]
extern "C" fn pthread_getattr_np(
    _thread: libc::pthread_t,
    _attributes: *mut libc::pthread_attr_t,
) -> libc::c_int {
    libc::ENOSYS
}
