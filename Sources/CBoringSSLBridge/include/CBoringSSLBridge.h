// Prototypes of BoringSSL functions as swift-nio-ssl builds them (symbol prefix CNIOBoringSSL_): what NIOSSL does not
// offer in Swift. Nothing is defined here; the symbols come with NIOSSL.
#ifndef LATCHMAIL_CBORINGSSL_BRIDGE_H
#define LATCHMAIL_CBORINGSSL_BRIDGE_H

#include <stddef.h>
#include <stdint.h>

const void *CNIOBoringSSL_SSL_get_current_cipher(const void *ssl);
uint16_t CNIOBoringSSL_SSL_CIPHER_get_protocol_id(const void *cipher);
uint16_t CNIOBoringSSL_SSL_get_group_id(const void *ssl);
int CNIOBoringSSL_SSL_session_reused(const void *ssl);
void *CNIOBoringSSL_SSL_get_SSL_CTX(const void *ssl);
uint32_t CNIOBoringSSL_SSL_CTX_set_options(void *ctx, uint32_t options);
void CNIOBoringSSL_SSL_CTX_set_session_psk_dhe_timeout(void *ctx, uint32_t seconds);
int CNIOBoringSSL_SSL_version(const void *ssl);
const char *CNIOBoringSSL_SSL_get_servername(const void *ssl, int type);
int CNIOBoringSSL_SSL_export_keying_material(void *ssl, uint8_t *out, size_t out_len, const char *label,
                                             size_t label_len, const uint8_t *context, size_t context_len,
                                             int use_context);
int CNIOBoringSSL_SSL_get_extms_support(const void *ssl);
void *CNIOBoringSSL_SSL_get_certificate(const void *ssl);
int CNIOBoringSSL_X509_get_signature_nid(const void *certificate);
int CNIOBoringSSL_OBJ_find_sigid_algs(int signature, int *digest, int *key);
int CNIOBoringSSL_i2d_X509(void *certificate, uint8_t **out);

#endif
