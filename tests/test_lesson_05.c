/* Lesson 05: the numbers that the page calculates by hand, and its claims about the start of a run. The
 * test includes the lesson's program, with main renamed, to call its functions. */
int lesson_main(int argc, char **argv);
#define main lesson_main
#include "../lessons/05-training.c"
#undef main

#include <unistd.h>

#include "suite.h"

#define ck_near(x, y, tolerance)                                                                   \
    ck_assert_msg(fabs((double)(x) - (double)(y)) <= (tolerance), "%s is %.9g, not %.9g", #x,      \
                  (double)(x), (double)(y))

/* --- by hand ------------------------------------------------------------------------------------ */

/* Writes w after each of two updates on L = k w^2 / 2, which has the gradient k w; w starts at 1. */
static void two_steps(const char *optimizer, double k, double lr, double w[2])
{
    Params ps = params_init(0);
    Tensor *t = param(&ps, SHAPE(1), 0, "w");
    t->data[0] = 1;
    Optim o = nplm_optim(optimizer, &ps);
    for (int i = 0; i < 2; i++) {
        t->grad[0] = (real)k * t->data[0];
        optim_step(&o, &ps, lr);
        w[i] = (double)t->data[0];
    }
    optim_free(&o);
    params_free(&ps);
}

START_TEST(steps_by_hand)
{
    double w[2];
    two_steps("sgd", 1, 0.1, w);
    ck_near(w[0], 0.9, 1e-6);
    ck_near(w[1], 0.81, 1e-6);
    two_steps("momentum", 1, 0.1, w);
    ck_near(w[0], 0.9, 1e-6);
    ck_near(w[1], 0.72, 1e-6); /* m = 0.9 * 1 + 0.9 = 1.8 */
    two_steps("adamw", 1, 0.1, w);
    ck_near(w[0], 0.9, 1e-5);
    two_steps("adamw", 1000, 0.1, w); /* a gradient 1000 times as large gives the same first step */
    ck_near(w[0], 0.9, 1e-5);
}
END_TEST

/* A step multiplies w by 1 - lr k: below 2/k it shrinks, above it grows. */
START_TEST(edge_by_hand)
{
    double w[2];
    two_steps("sgd", 4, 0.4, w);
    ck_near(w[0], -0.6, 1e-6);
    ck_near(w[1], 0.36, 1e-6);
    two_steps("sgd", 4, 0.6, w);
    ck_near(w[0], -1.4, 1e-6);
    ck_near(w[1], 1.96, 1e-6);
}
END_TEST

START_TEST(loss_by_hand)
{
    Tape tp = {0};
    Tensor *z = tape_zeros(&tp, SHAPE(1, 3));
    const int target[1] = {1};
    ck_near(op_cross_entropy(&tp, z, target)->data[0], 1.0986, 1e-4); /* ln 3 */
    z->data[0] = 5;
    ck_near(op_cross_entropy(&tp, z, target)->data[0], 5.0134, 1e-4); /* confident and wrong */
    tape_free(&tp);
}
END_TEST

START_TEST(schedule_by_hand)
{
    const Schedule s = {.lr = 0.01, .min_lr = 0, .warmup = 100, .steps = 1099};
    ck_near(lr_at(&s, 50), 0.005, 1e-12);
    ck_near(lr_at(&s, 100), 0.01, 1e-12);
    ck_near(lr_at(&s, 600), 0.005, 1e-12);
    ck_near(lr_at(&s, 1099), 2.47e-8, 1e-10); /* small, and not 0 */
}
END_TEST

/* --- the lab, on files in a temporary directory --------------------------------------------------- */

static Config config_of(const char *text, const char *valid)
{
    Config c = {.data = data_defaults(), .context = 3, .channels = 10, .hidden = 32, .batch = 32};
    c.data.lines = true;
    c.data.text = text;
    c.data.valid = valid;
    c.seed = 1337;
    return c;
}

static const Plan PLAN = {
    .optimizer = "adamw", .lr = 0.01, .warmup = 10, .steps = 300, .init = 1, .init_last = 0.1};

static double run_plan(const Lab *lab, const Plan *p, double *curve)
{
    Params ps = params_init(lab->c->seed);
    const Nplm m = nplm_init(&ps, lab, p);
    const double valid = nplm_train(lab, p, &ps, &m, curve);
    params_free(&ps);
    return valid;
}

/* Opens a lab on two lists of lines: training and validation. */
static void with_lab(const char *train_lines, const char *valid_lines, void (*body)(const Lab *))
{
    char dir[] = "/tmp/lesson05-XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(dir));
    char *text = xformat("%s/train", dir), *valid = xformat("%s/valid", dir);
    Error err;
    ck_assert(file_write(text, train_lines, strlen(train_lines), &err));
    ck_assert(file_write(valid, valid_lines, strlen(valid_lines), &err));
    const Config c = config_of(text, valid);
    Lab lab;
    const bool ok = lab_open(&lab, &c, &err);
    unlink(text), unlink(valid), rmdir(dir);
    free(text), free(valid);
    ck_assert_msg(ok, "%s", err.text);
    body(&lab);
    lab_close(&lab);
}

static void check_examples(const Lab *lab)
{
    const char *expected[9] = {"\n\n\ne", "\n\nem", "\nemm", "emma", "mma\n",
                               "\n\n\na", "\n\nab", "\naba", "aba\n"};
    const Tokenizer *v = &lab->data.text.tokens;
    ck_assert_int_eq(lab->train.n, 9);
    for (int i = 0; i < 9; i++) {
        for (int j = 0; j < 3; j++)
            ck_assert_int_eq(lab->train.x[3 * i + j], tokenizer_id(v, (char[]){expected[i][j], 0}));
        ck_assert_int_eq(lab->train.y[i], tokenizer_id(v, (char[]){expected[i][3], 0}));
    }
}

START_TEST(contexts_end_at_the_line)
{
    with_lab("emma\naba\n", "ab\n", check_examples);
}
END_TEST

static void check_start(const Lab *lab)
{
    double curve[1];
    Plan p = PLAN;
    p.steps = 1;
    p.init_last = 0;
    run_plan(lab, &p, curve);
    ck_near(curve[0], lab->ln_V, 1e-5);
    p.init = p.init_last = 5;
    run_plan(lab, &p, curve);
    ck_assert_double_gt(curve[0], lab->ln_V + 1);

    double share[BINS];
    p.init = 1;
    const double one = saturation(lab, &p, share);
    p.init = 5;
    const double five = saturation(lab, &p, share);
    ck_assert_double_lt(one, 25);
    ck_assert_double_gt(five, 50);
}

START_TEST(loss_starts_at_ln_v)
{
    with_lab("emma\nolivia\nava\nzoe\nlily\n", "ella\n", check_start);
}
END_TEST

/* Three lines: every character except the first follows from the three characters before it. */
static void check_learns(const Lab *lab)
{
    double curve[2][300];
    for (int r = 0; r < 2; r++) ck_assert_double_lt(run_plan(lab, &PLAN, curve[r]), 0.01);
    ck_assert_int_eq(memcmp(curve[0], curve[1], sizeof curve[0]), 0); /* the same bits again */
    ck_near(curve[0][0], lab->ln_V, 0.3);
}

START_TEST(learns_what_is_certain)
{
    with_lab("banxy\nbanxy\nbanxy\n", "banxy\n", check_learns);
}
END_TEST

static void check_diverges(const Lab *lab)
{
    static double curve[300];
    Plan p = PLAN;
    p.optimizer = "sgd", p.warmup = 0;
    p.lr = p.min_lr = 100;
    ck_assert(!(run_plan(lab, &p, curve) < lab->ln_V));
}

START_TEST(too_large_a_rate_diverges)
{
    with_lab("emma\nolivia\nava\nzoe\nlily\n", "ella\n", check_diverges);
}
END_TEST

/* The loss lies between that of a model that sees one character (2.45 nats) and the best loss with three
 * characters (about 2.06). */
START_TEST(names_reach_their_loss)
{
    const char *path = data_path("lm/names_split/train.txt");
    parallel_init(1); /* also keeps the BLAS from starting its own threads */
    char *text = path ? xstrdup(path) : NULL;
    const char *valid = data_path("lm/names_split/val.txt");
    if (text && valid) {
        Config c = config_of(text, valid);
        c.hidden = 200, c.batch = 128;
        Lab lab;
        Error err;
        ck_assert_msg(lab_open(&lab, &c, &err), "%s", err.text);
        ck_assert_int_eq(lab.V, 28); /* letters, newline and <unk> */
        Plan p = PLAN;
        p.steps = 1500, p.warmup = 100;
        double *curve = xcalloc(p.steps, sizeof *curve);
        const double loss = run_plan(&lab, &p, curve);
        ck_assert_msg(loss > 2.1 && loss < 2.26, "validation loss %.4f", loss);
        free(curve);
        lab_close(&lab);
    }
    free(text);
}
END_TEST

SUITE("lesson_05",
      TESTS(steps_by_hand, edge_by_hand, loss_by_hand, schedule_by_hand, contexts_end_at_the_line,
            loss_starts_at_ln_v, learns_what_is_certain, too_large_a_rate_diverges,
            names_reach_their_loss),
      NO_ABORTS)
