/* Names of C++ as a person wrote them, and names that were made to hurt. */
#include "base/storage.h"
#include "symbols/demangle.h"
#include "test.h"

#include <pthread.h>
#include <time.h>

static void check_name(const char *name, const char *whole, const char *short_name)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);

	REQUIRE(tl_demangle(name, TL_DEMANGLE_WHOLE, &output, NULL) == TL_OK);
	CHECK_TEXT(tl_output_string(&output), whole);
	tl_output_reset(&output);
	REQUIRE(tl_demangle(name, TL_DEMANGLE_NAME, &output, NULL) == TL_OK);
	CHECK_TEXT(tl_output_string(&output), short_name);
	tl_output_release(&output);
}

TEST(functions_and_variables)
{
	check_name("_Z3addii", "add(int, int)", "add");
	check_name("_Z3foov", "foo()", "foo");
	check_name("_ZN1n1xE", "n::x", "n::x");
	check_name("_ZNK1n1A1fEi", "n::A::f(int) const", "n::A::f");
	check_name("_ZNKR1n1A1iEv", "n::A::i() const &", "n::A::i");
	check_name("_ZN1n1AC2Ev", "n::A::A()", "n::A::A");
	check_name("_ZN1n1AD0Ev", "n::A::~A()", "n::A::~A");
	check_name("_ZN1AdaEPv", "A::operator delete[](void*)", "A::operator delete[]");
	check_name("_ZN12_GLOBAL__N_14anonEi", "(anonymous namespace)::anon(int)", "(anonymous namespace)::anon");
	check_name("_Z3fooB5cxx11v", "foo[abi:cxx11]()", "foo[abi:cxx11]");
	check_name("_Zli3_kmy", "operator\"\" _km(unsigned long long)", "operator\"\" _km");
	check_name("_Z2vliz", "vl(int, ...)", "vl");
}

TEST(types_have_their_names_in_the_middle)
{
	check_name("_Z3fppPFviEPPFvicERS_PFPFilEcEMN1n1AEiMSA_KFiiEPSD_",
		   "fpp(void (*)(int), void (**)(int, char), void (&)(int), int (*(*)(char))(long), int n::A::*, int "
		   "(n::A::*)(int) const, int (n::A::**)(int) const)",
		   "fpp");
	check_name("_Z1fRA3_KiPA2_A4_c", "f(int const (&) [3], char (*) [2][4])", "f");
	check_name("_Z1fPVKc", "f(char const volatile*)", "f");
	check_name("_Z1fPDoFvvE", "f(void (*)() noexcept)", "f");
	check_name("_Z1fIiEPFvcEv", "void (*f<int>())(char)", "f<int>");
}

TEST(templates)
{
	check_name("_Z3addIidEDTplfp_fp0_ET_T0_", "decltype ({parm#1}+{parm#2}) add<int, double>(int, double)",
		   "add<int, double>");
	check_name("_Z3sumIJiiiEEDTfrplfp_EDpT_", "decltype (({parm#1}+...)) sum<int, int, int>(int, int, int)",
		   "sum<int, int, int>");
	check_name("_Z4valsILin1ELb1ELc97ELj7ELln9EEvv", "void vals<-1, true, (char)97, 7u, -9l>()",
		   "vals<-1, true, (char)97, 7u, -9l>");
	check_name("_ZN1n1AcvT_IiEEv", "n::A::operator int<int>()", "n::A::operator int<int>");
	check_name("_Z3tupIJiR1AEESt5tupleIJDpT_EEDpOS3_", "std::tuple<int, A&> tup<int, A&>(int&&, A&)",
		   "tup<int, A&>");
	check_name("_ZlsISt11char_traitsIcEERSt13basic_ostreamIcT_ES5_c",
		   "std::basic_ostream<char, std::char_traits<char> >& operator<< <std::char_traits<char> "
		   ">(std::basic_ostream<char, std::char_traits<char> >&, char)",
		   "operator<< <std::char_traits<char> >");
}

TEST(what_is_inside_functions)
{
	check_name("_ZZ4mainE1x", "main::x", "main::x");
	check_name("_ZZ1fiENKUlvE_clEv", "f(int)::{lambda()#1}::operator()() const",
		   "f(int)::{lambda()#1}::operator()");
	check_name("_ZZ4mainENKUlT_E_clIiEEDaS_", "auto main::{lambda(auto:1)#1}::operator()<int>(int) const",
		   "main::{lambda(auto:1)#1}::operator()<int>");
	check_name("_ZGVZ1fvE1x", "guard variable for f()::x", "guard variable for f()::x");
}

TEST(what_the_compiler_makes)
{
	check_name("_ZTVN1n1AE", "vtable for n::A", "vtable for n::A");
	check_name("_ZTISo", "typeinfo for std::ostream", "typeinfo for std::ostream");
	check_name("_ZTv0_n24_N1X1cEv", "virtual thunk to X::c()", "virtual thunk to X::c()");
	check_name("_ZTC1X16_1V", "construction vtable for V-in-X", "construction vtable for V-in-X");
	check_name("_Z3fooi.constprop.0.isra.1", "foo(int) [clone .constprop.0] [clone .isra.1]", "foo");
	check_name("_Znwm@@GLIBCXX_3.4", "operator new(unsigned long)@@GLIBCXX_3.4", "operator new@@GLIBCXX_3.4");
	check_name("_GLOBAL__I_main", "global constructors keyed to main", "global constructors keyed to main");
	check_name("_ZNSsC1EPKcRKSaIcE",
		   "std::basic_string<char, std::char_traits<char>, std::allocator<char> >::basic_string(char const*, "
		   "std::allocator<char> const&)",
		   "std::basic_string<char, std::char_traits<char>, std::allocator<char> >::basic_string");
}

TEST(what_is_no_name_of_cxx_is_left_alone)
{
	static const char *const names[] = {"", "_", "main", "Z1f", "_GLOBAL_", "_GLOBAL__sub_I_main", "_R1f"};
	static const char *const bad[] = {
		"_Z",       "_Z1",      "_Z3fo",   "_ZN1nE1",  "_Z1fS_",           "_Z1fT_",         "_Z1fIT_EvT_",
		"_ZcvT_",   "_Z1fIiEv", "_Z1fPi.", "_ZTv0_1f", "_Z1fDF999999999_", "_Z99999999999f", "_ZNK",
		"_Z1fIXaai"};
	struct tl_output output = tl_output_make(1000);
	struct tl_error error;

	tl_output_text(&output, "before");
	for (tl_size i = 0; i < TL_COUNT(names); i++)
		CHECK(tl_demangle(names[i], TL_DEMANGLE_WHOLE, &output, NULL) == TL_ERROR_ARGUMENT);
	for (tl_size i = 0; i < TL_COUNT(bad); i++) {
		error.text[0] = '\0';
		CHECK(tl_demangle(bad[i], TL_DEMANGLE_WHOLE, &output, &error) == TL_ERROR_MALFORMED);
		CHECK(strstr(error.text, bad[i]) != NULL);
	}
	CHECK_TEXT(tl_output_string(&output), "before");
	CHECK(tl_demangle_type("St6vectorIiSaIiEE", &output, &error) == TL_OK);
	CHECK_TEXT(tl_output_string(&output), "beforestd::vector<int, std::allocator<int> >");
	tl_output_release(&output);
}

/* ---- Names that were made to hurt ---- */

static char hostile[TL_DEMANGLE_NAME_MAX + 100];

static void repeat(const char *start, const char *piece, tl_size times, const char *end)
{
	char *to = stpcpy(hostile, start);

	while (times-- > 0 && (tl_size)(to - hostile) + strlen(piece) + strlen(end) < sizeof(hostile))
		to = stpcpy(to, piece);
	(void)stpcpy(to, end);
}

static void refuse(enum tl_status wanted)
{
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	struct timespec before, after;
	enum tl_status status;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
	status = tl_demangle(hostile, TL_DEMANGLE_WHOLE, &output, NULL);
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
	if (status != wanted)
		printf("# %.40s: %s\n", hostile, tl_status_name(status));
	CHECK(status == wanted);
	/* Milliseconds, in truth; c++filt takes hours for some. */
	CHECK(after.tv_sec - before.tv_sec < 3);
	tl_output_release(&output);
}

/* A<…> of the one before it, twice, forty times: 2 to the 40th words if all were written. */
static void double_up(const char *start, const char *end)
{
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	char *to = stpcpy(hostile, start);

	for (unsigned i = 2; i < 42; i++) {
		char seq[4] = {'S', i < 36 ? digits[i] : '1', i < 36 ? '_' : digits[i - 36], i < 36 ? '\0' : '_'};

		to += sprintf(to, "S1_I%.4s%.4sE", seq, seq);
	}
	(void)stpcpy(to, end);
}

static void *hurt(void *context)
{
	static const char *const deep[] = {"P", "F", "M", "A_", "Dv_", "N1aI", "J", "K", "1AI", "DTad", "DpR"};

	for (tl_size i = 0; i < TL_COUNT(deep); i++) {
		repeat("_Z1fI", deep[i], 300, "i");
		refuse(strcmp(deep[i], "K") == 0 || strcmp(deep[i], "DTad") == 0 ? TL_ERROR_MALFORMED
										 : TL_ERROR_TOO_LONG);
	}
	repeat("_ZZ", "Z", 300, "");
	refuse(TL_ERROR_TOO_LONG);
	repeat("_Z1f", "P", TL_SIZE_MAX, "i");
	refuse(TL_ERROR_TOO_LONG);
	repeat("_ZcvT_I", "XoncvT_I", 200, "");
	refuse(TL_ERROR_TOO_LONG);
	double_up("_Z1fIJiEEvDp1XI1AIiiE", "E");
	refuse(TL_ERROR_TOO_LONG);
	double_up("_Z1fIJiEEv1XI1AIiiE", "E");
	refuse(TL_ERROR_TOO_LONG);
	return context;
}

TEST(hostile_names_end_soon_and_on_a_small_stack)
{
	pthread_attr_t attributes;
	pthread_t thread;

	REQUIRE(pthread_attr_init(&attributes) == 0);
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	REQUIRE(pthread_attr_setstacksize(&attributes, 2048 << 10) == 0);
#else
	REQUIRE(pthread_attr_setstacksize(&attributes, 256 << 10) == 0);
#endif
	REQUIRE(pthread_create(&thread, &attributes, hurt, NULL) == 0);
	REQUIRE(pthread_join(thread, NULL) == 0);
	pthread_attr_destroy(&attributes);
}

TEST(any_allocation_may_fail)
{
	static const char name[] = "_ZNK1n1AIJiiEE1fIcEEDTplfp_fp0_ET_KcU4quali";
	struct tl_output output = tl_output_make(TL_OUTPUT_MAX);
	tl_u64 live = tl_storage_live();

	for (tl_u64 n = 1;; n++) {
		enum tl_status status;

		tl_storage_fail(n);
		status = tl_demangle(name, TL_DEMANGLE_WHOLE, &output, NULL);
		tl_storage_fail(0);
		if (status == TL_OK)
			break;
		tl_output_reset(&output);
		REQUIRE(status == TL_ERROR_NO_MEMORY);
		REQUIRE(n < 1000);
	}
	tl_output_release(&output);
	CHECK_EQUAL(tl_storage_live(), live);
}
