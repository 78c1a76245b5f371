# OE_PKG(VAR, MODULE, DEBIAN-PACKAGE): a pkg-config library that must be there.
AC_DEFUN([OE_PKG], [
  PKG_CHECK_MODULES([$1], [$2], [], [
    AC_MSG_ERROR([$2 is missing. On Debian: apt-get install $3
(all of them at once: contrib/packages install build)])])
])

# OE_LIB(VAR, FUNCTION, LIBRARY, HEADER, DEBIAN-PACKAGE): one without pkg-config.
AC_DEFUN([OE_LIB], [
  AC_CHECK_HEADER([$4], [], [
    AC_MSG_ERROR([$4 is missing. On Debian: apt-get install $5])])
  oe_saved_LIBS=$LIBS
  AC_CHECK_LIB([$3], [$2], [AC_SUBST([$1_LIBS], [-l$3])], [
    AC_MSG_ERROR([lib$3 is missing. On Debian: apt-get install $5])])
  LIBS=$oe_saved_LIBS
])

# OE_FLAG(VARIABLE, FLAG): append FLAG where compiler and linker take it.
AC_DEFUN([OE_FLAG], [
  AC_MSG_CHECKING([for $2])
  oe_saved_CFLAGS=$CFLAGS
  oe_saved_LDFLAGS=$LDFLAGS
  $1="$$1 $2"
  CFLAGS="$CFLAGS -Werror"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
    [AC_MSG_RESULT([yes])
     CFLAGS=$oe_saved_CFLAGS
     LDFLAGS=$oe_saved_LDFLAGS
     HARDEN_$1="$HARDEN_$1 $2"],
    [AC_MSG_RESULT([no])
     CFLAGS=$oe_saved_CFLAGS
     LDFLAGS=$oe_saved_LDFLAGS])
])

AC_DEFUN([OE_HARDENING], [
  HARDEN_CFLAGS=
  HARDEN_LDFLAGS=
  for oe_flag in -Wall -Wextra -Wshadow -Wstrict-prototypes \
      -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla \
      -Wformat=2 -fstack-protector-strong -fstack-clash-protection \
      -fcf-protection=full -mbranch-protection=standard \
      -ftrivial-auto-var-init=zero -fno-strict-aliasing -fPIE; do
    OE_FLAG([CFLAGS], [$oe_flag])
  done
  for oe_flag in -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
      -Wl,--as-needed -Wl,-z,separate-code; do
    OE_FLAG([LDFLAGS], [$oe_flag])
  done
  AS_IF([test "x$enable_sanitizers" != xyes && test "x$enable_fuzzing" != xyes],
    [HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
  AS_IF([test "x$enable_werror" = xyes],
    [HARDEN_CFLAGS="$HARDEN_CFLAGS -Werror"])
  AC_SUBST([HARDEN_CFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
  AC_SUBST([HARDEN_CPPFLAGS])
])

AC_DEFUN([OE_SANITIZERS], [
  HARDEN_CFLAGS="$HARDEN_CFLAGS -g -O1 -fsanitize=address,undefined"
  HARDEN_CFLAGS="$HARDEN_CFLAGS -fno-sanitize-recover=all"
  HARDEN_CFLAGS="$HARDEN_CFLAGS -fno-omit-frame-pointer"
  HARDEN_LDFLAGS="$HARDEN_LDFLAGS -fsanitize=address,undefined"
  # ASan has a crypt_r of its own, a wrapper around the one that must then be
  # there, for PAM's modules too.
  CRYPT_LIBS="-Wl,--no-as-needed $CRYPT_LIBS -Wl,--as-needed"
  AC_DEFINE([WITH_SANITIZERS], [1], [Built with ASan and UBSan])
])

AC_DEFUN([OE_FUZZING], [
  oe_saved_CFLAGS=$CFLAGS
  CFLAGS="$CFLAGS -fsanitize=fuzzer-no-link"
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])], [], [
    AC_MSG_ERROR([$CC has no libFuzzer: ./configure CC=clang --enable-fuzzing
(Debian: apt-get install clang libclang-rt-14-dev)])])
  CFLAGS=$oe_saved_CFLAGS
  HARDEN_CFLAGS="$HARDEN_CFLAGS -g -O1 -fsanitize=fuzzer-no-link,address,undefined"
  HARDEN_LDFLAGS="$HARDEN_LDFLAGS -fsanitize=address,undefined"
  FUZZ_LDFLAGS="-fsanitize=fuzzer"
  AC_SUBST([FUZZ_LDFLAGS])
  AC_DEFINE([WITH_SANITIZERS], [1], [Built with ASan and UBSan])
])

# The seam (sshd/seam.c) takes libssh's calls of EVP_DigestSign and
# EVP_DigestVerify. A libssh that does not import them (another crypto library,
# a static or -Bsymbolic one) would sign and verify inside the network process.
AC_DEFUN([OE_CHECK_SEAM], [
  AC_MSG_CHECKING([that libssh calls libcrypto through symbols the seam can take])
  oe_saved_LIBS=$LIBS
  LIBS="$LIBSSH_LIBS $LIBS"
  AC_LINK_IFELSE([AC_LANG_PROGRAM([[#include <libssh/libssh.h>]],
    [[return ssh_init();]])], [
    oe_libssh=`ldd conftest$ac_exeext 2>/dev/null | $AWK '/libssh\.so/ {print $[]3}'`
    AS_IF([test -n "$oe_libssh" &&
        nm -D --undefined-only "$oe_libssh" | grep -q 'EVP_DigestVerify\>' &&
        nm -D --undefined-only "$oe_libssh" | grep -q 'EVP_DigestSign\>'],
      [AC_MSG_RESULT([yes])],
      [AC_MSG_RESULT([no])
       AC_MSG_ERROR([libssh must be the shared library built on OpenSSL
(Debian: libssh-dev with libssh-4, not libssh-gcrypt-4)])])],
    [AC_MSG_RESULT([no])
     AC_MSG_ERROR([cannot link with libssh])])
  LIBS=$oe_saved_LIBS
])
