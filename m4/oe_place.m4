# OE_PLACE(VARIABLE, CONDITIONAL, WHAT)
# --with-VARIABLE=DIR: a directory of the system for one kind of file. Without
# it the files are built and not installed: all that is goes below --prefix.
AC_DEFUN([OE_PLACE], [
  AC_ARG_WITH([$1],
    [AS_HELP_STRING([--with-$1=DIR], [install $3 there @<:@no@:>@])],
    [], [with_$1=no])
  AS_CASE([$with_$1],
    [yes], [AC_MSG_ERROR([--with-$1 needs a directory])])
  AC_SUBST([$1], [$with_$1])
  AM_CONDITIONAL([$2], [test "x$with_$1" != xno])
])
