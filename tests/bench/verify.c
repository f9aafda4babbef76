/*
 * In-process verification of 1,000 distinct passes in rotation, steps 1 to 7, no verdict kept,
 * against raw EVP_DigestVerify of the same signatures with parsed keys. Rounds of both alternate in
 * one run; the ratio is the median of the rounds' ratios. Prints one line of JSON.
 */
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <stdio.h>
#include <time.h>

#include "desk.h"

#define PASSES 1000
#define HOMES 10
#define ROUNDS 15

static double cpu_now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
    return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static EVP_PKEY *parsed(const struct key *key)
{
    uint8_t point[65] = {4};
    EVP_PKEY *pkey = NULL;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
    memcpy(point + 1, key->bytes, 64);
    OSSL_PARAM params[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"prime256v1", 0),
        OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
        OSSL_PARAM_construct_end()};
    if (EVP_PKEY_fromdata_init(ctx) <= 0 ||
        EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) <= 0)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    return pkey;
}

/* Microseconds of CPU for one raw check of each pass's signature by its home. */
static double raw_round(const struct bench_desk *d, EVP_PKEY *const keys[])
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    double start = cpu_now();
    for (size_t i = 0; i < d->n; i++) {
        const struct bench_pass *p = &d->passes[i];
        EVP_MD_CTX_reset(ctx);
        if (EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, keys[i % HOMES]) != 1 ||
            EVP_DigestVerify(ctx, p->der, p->der_len, (const uint8_t *)p->signing_input.p,
                             p->signing_input.n) != 1) {
            fprintf(stderr, "raw verification failed at pass %zu\n", i);
            exit(1);
        }
    }
    double spent = cpu_now() - start;
    EVP_MD_CTX_free(ctx);
    return spent / (double)d->n;
}

/* Microseconds of CPU for one raw ES256 signature. */
static double raw_sign(void)
{
    EVP_PKEY *pkey = EVP_EC_gen("P-256");
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    uint8_t text[700] = {0}, sig[80];
    double start = cpu_now();
    for (size_t i = 0; i < PASSES; i++) {
        size_t n = sizeof(sig);
        memcpy(text, &i, sizeof(i));
        EVP_MD_CTX_reset(ctx);
        if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, pkey) != 1 ||
            EVP_DigestSign(ctx, sig, &n, text, sizeof(text)) != 1)
            exit(1);
    }
    double spent = cpu_now() - start;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);
    return spent / PASSES;
}

static double pass_round(struct bench_desk *d, enum verdict wanted)
{
    struct verify_answer answer;
    double start = cpu_now();
    for (size_t i = 0; i < d->n; i++) {
        const struct verify_request req = {.text = buf_as_str(&d->passes[i].token),
                                           .desk = "tok_bench"};
        int r = verify_presentation(&d->thread, &d->space, &req, &answer);
        if (r != 0 || answer.verdict.verdict != wanted || !answer.genuine) {
            fprintf(stderr, "pass %zu: result %d, %s\n", i, r, answer.problem);
            exit(1);
        }
        verify_answer_clear(&answer);
    }
    return (cpu_now() - start) / (double)d->n;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), by_value);
    return v[n / 2];
}

static void measure(const char *name, bool bound, unsigned signatures)
{
    static struct bench_desk desk;
    EVP_PKEY *keys[HOMES];
    double raw[ROUNDS], pass[ROUNDS], ratio[ROUNDS];
    int r = bench_desk_open(&desk, HOMES, PASSES, bound);
    if (r != 0) {
        fprintf(stderr, "cannot make the passes: %d\n", r);
        exit(1);
    }
    for (size_t i = 0; i < HOMES; i++)
        keys[i] = parsed(&desk.passes[i].home);
    raw_round(&desk, keys);
    pass_round(&desk, bound ? VERDICT_ADMIT : VERDICT_ASK);
    for (size_t i = 0; i < ROUNDS; i++) {
        raw[i] = raw_round(&desk, keys);
        pass[i] = pass_round(&desk, bound ? VERDICT_ADMIT : VERDICT_ASK);
        ratio[i] = signatures * raw[i] / pass[i];
    }
    printf("\"%s\":{\"raw_us\":%.2f,\"pass_us\":%.2f,\"signatures\":%u,\"ratio\":%.3f}", name,
           median(raw, ROUNDS), median(pass, ROUNDS), signatures, median(ratio, ROUNDS));
    for (size_t i = 0; i < HOMES; i++)
        EVP_PKEY_free(keys[i]);
}

/* The printed passes and their homes' keys, for other implementations: {"passes":[{token,x,y}]}. */
static int dump(const char *path)
{
    static struct bench_desk desk;
    FILE *out = fopen(path, "w");
    if (!out || bench_desk_open(&desk, HOMES, PASSES, false) != 0)
        return 1;
    for (size_t i = 0; i < desk.n; i++) {
        struct json *jwk = jwk_bare(&desk.passes[i].home);
        struct buf text = {0};
        json_write(jwk, &text);
        fprintf(out, "%s{\"token\":\"%s\",\"jwk\":%s}", i ? ",\n" : "{\"passes\":[\n",
                desk.passes[i].token.p, text.p);
        buf_clear(&text);
        json_free(jwk);
    }
    fprintf(out, "]}\n");
    return fclose(out);
}

/* Only the raw figures, for about a second. */
static int raw_only(void)
{
    static struct bench_desk desk;
    EVP_PKEY *keys[HOMES];
    double check[ROUNDS], sign[ROUNDS];
    if (bench_desk_open(&desk, HOMES, PASSES, false) != 0)
        return 1;
    for (size_t i = 0; i < HOMES; i++)
        keys[i] = parsed(&desk.passes[i].home);
    for (size_t i = 0; i < ROUNDS; i++) {
        check[i] = raw_round(&desk, keys);
        sign[i] = raw_sign();
    }
    printf("{\"raw_us\":%.2f,\"raw_sign_us\":%.2f}\n", median(check, ROUNDS), median(sign, ROUNDS));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--raw") == 0)
        return raw_only();
    if (argc == 3 && strcmp(argv[1], "--dump") == 0)
        return dump(argv[2]);
    double sign[ROUNDS];
    raw_sign();
    for (size_t i = 0; i < ROUNDS; i++)
        sign[i] = raw_sign();
    printf("{\"raw_sign_us\":%.2f,", median(sign, ROUNDS));
    measure("printed", false, 1);
    printf(",");
    measure("bound", true, 2);
    printf("}\n");
    return 0;
}
