/* The files of a run directory: a new run in the place of an old one, links, what killed programs left. */
#include "rundir_help.h"

/* The old run is complete until the new one is committed; a new run that is not committed leaves no trace. */
START_TEST(one_run_for_another)
{
    RunDir d;
    tmp = temp_dir();
    write_old_run();
    const int before = temp_entries(&tmp) + 1; /* .lock */
    opens(&d, RUN_OVERWRITE);
    ck_assert_str_ne(d.at, d.dir);
    write_new_run(d.at);
    ck_old_run();
    rundir_close(&d);
    ck_old_run();
    ck_assert_int_eq(temp_entries(&tmp), before);
    opens(&d, RUN_OVERWRITE);
    write_new_run(d.at);
    ck_assert_msg(rundir_commit(&d, &why), "%s", why.text);
    ck_assert_str_eq(d.at, d.dir);
    ck_new_run();
    ck_assert_msg(rundir_commit(&d, &why), "%s", why.text); /* the second one has nothing to do */
    rundir_close(&d);
    ck_new_run();
    remove_tree(tmp.path);
}
END_TEST

/* A new run in a directory without a run writes there at once. */
START_TEST(a_directory_without_a_run)
{
    RunDir d;
    tmp = temp_dir();
    write_file("notes.txt", "mine\n");
    opens(&d, RUN_OVERWRITE);
    ck_assert_str_eq(d.at, tmp.path);
    rundir_close(&d);
    ck_file("notes.txt", "mine\n");
    remove_tree(tmp.path);
}
END_TEST

/* A replacement that was killed at step 2 (how = 0), 3 (1) or 4 (2) is finished by the next program: train or eval. */
START_TEST(an_interrupted_replacement)
{
    for (int how = 0; how < 6; how++) {
        RunDir d;
        char at[160], to[160];
        tmp = temp_dir();
        write_file(".lock", "");
        if (how % 3 == 0) write_old_run();
        write_file("notes.txt", "mine\n");
        const char *folder = how % 3 == 2 ? ".run.moving" : ".run.ready";
        make_dir(folder);
        temp_name(&tmp, folder, at);
        write_new_run(at);
        temp_name(&tmp, "model.safetensors", to);
        char *moved = xformat("%s/model.safetensors", at);
        if (how % 3 == 2) ck_assert_int_eq(rename(moved, to), 0);
        free(moved);
        if (how < 3) {
            opens(&d, RUN_RESUME);
            rundir_close(&d);
        } else {
            ck_assert_msg(rundir_settle(tmp.path, &why), "%s", why.text);
        }
        ck_new_run();
        remove_tree(tmp.path);
    }
}
END_TEST

/* What a run that was killed before its first checkpoint left is removed, also if somebody put a link in its place. */
START_TEST(an_unfinished_new_run)
{
    for (int is_link = 0; is_link < 2; is_link++) {
        RunDir d;
        char path[160], elsewhere[160];
        tmp = temp_dir();
        write_old_run();
        make_dir("elsewhere");
        write_file("elsewhere/model.safetensors", "mine\n");
        temp_name(&tmp, ".run.new", path), temp_name(&tmp, "elsewhere", elsewhere);
        if (is_link)
            ck_assert_int_eq(symlink(elsewhere, path), 0);
        else
            make_dir(".run.new"), write_file(".run.new/model.safetensors", "half\n");
        ck_assert_msg(rundir_settle(tmp.path, &why), "%s", why.text);
        ck_old_run();
        opens(&d, RUN_OVERWRITE);
        write_new_run(d.at);
        ck_old_run();
        ck_assert(rundir_commit(&d, &why));
        rundir_close(&d);
        ck_file("model.safetensors", "new\n"), ck_file("elsewhere/model.safetensors", "mine\n");
        remove_tree(tmp.path);
    }
}
END_TEST

/* A manipulated list cannot remove files outside the directory or hidden files. */
START_TEST(names_that_are_no_files_of_the_run)
{
    RunDir d;
    char path[160];
    tmp = temp_dir();
    const TempDir other = temp_dir();
    temp_name(&other, "outside", path);
    assert_write(path, "mine\n");
    char *name = xformat("../%s/outside", strrchr(other.path, '/') + 1);
    write_old_run();
    write_file(".hidden", "mine\n");
    noted_add(tmp.path, name), noted_add(tmp.path, path), noted_add(tmp.path, ".hidden");
    noted_add(tmp.path, ".."), noted_add(tmp.path, "x.csv"), noted_add(tmp.path, "x.csv");
    char *list = xformat("trace.csv\n%s\n%s\n.hidden\n..\nx.csv\n", name, path);
    ck_file(".files", list);
    opens(&d, RUN_OVERWRITE);
    write_new_run(d.at);
    ck_assert(rundir_commit(&d, &why));
    rundir_close(&d);
    assert_content(path, "mine\n", 5);
    ck_file(".hidden", "mine\n");
    remove_tree(tmp.path), remove_tree(other.path);
    free(list), free(name);
}
END_TEST

/* The list of files is a link or another name of somebody's file, which stays as it is. */
START_TEST(a_list_that_is_a_link)
{
    for (int kind = 0; kind < 2; kind++) {
        char list[160], theirs[160];
        tmp = temp_dir();
        temp_name(&tmp, ".files", list), temp_name(&tmp, "precious", theirs);
        write_file("precious", "a.csv\n");
        ck_assert_int_eq(kind ? link(theirs, list) : symlink(theirs, list), 0);
        noted_add(tmp.path, "b.csv");
        ck_file("precious", "a.csv\n");
        ck_file(".files", "a.csv\nb.csv\n");
        remove_tree(tmp.path);
    }
}
END_TEST

/* Temporary files of killed trainers are removed, those of programs that run and of others are not. */
START_TEST(stale_temporaries)
{
    RunDir d;
    char ours[64];
    tmp = temp_dir();
    snprintf(ours, sizeof ours, "loss.png.tmp.%ld", (long)getpid());
    const char *const stale[] = {"model.safetensors.tmp.1", "state.safetensors.tmp.4711",
                                 "log.csv.tmp.1", "loss.png.tmp.999999999", "x.csv.tmp.999999999"};
    const char *const kept[] = {
        "notes.txt.tmp.999999999",  "model.safetensors.tmp.", ours,
        "model.safetensors.tmp.1x", "y.csv.tmp.999999999",    "x.csv.tmp.1"};
    noted_add(tmp.path, "x.csv");
    for (int i = 0; i < LEN(stale); i++) write_file(stale[i], "");
    for (int i = 0; i < LEN(kept); i++) write_file(kept[i], "");
    opens(&d, RUN_NEW);
    rundir_close(&d);
    for (int i = 0; i < LEN(stale); i++) ck_assert_msg(!is_there(stale[i]), "%s", stale[i]);
    for (int i = 0; i < LEN(kept); i++) ck_assert_msg(is_there(kept[i]), "%s", kept[i]);
    remove_tree(tmp.path);
}
END_TEST

SUITE("rundir_files",
      TESTS(one_run_for_another, a_directory_without_a_run, an_interrupted_replacement,
            an_unfinished_new_run, names_that_are_no_files_of_the_run, a_list_that_is_a_link,
            stale_temporaries),
      NO_ABORTS)
