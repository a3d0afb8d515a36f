package dev.gptq.train;

import dev.gptq.ErrorCode;
import dev.gptq.GptqException;

/** Creates objects of classes that a configuration names. */
public final class UserClasses {
    private UserClasses() {}

    /**
     * An object of the class, from the thread's class loader, by its public constructor without arguments.
     *
     * @param key the configuration's key that names the class, for messages
     * @throws GptqException BAD_INPUT when there is no such class, or it is none of {@code type}
     */
    public static <T> T instantiate(String className, Class<T> type, String key) {
        try {
            ClassLoader loader = Thread.currentThread().getContextClassLoader();
            Class<?> found = Class.forName(className, true, loader == null ? type.getClassLoader() : loader);
            return type.cast(found.getConstructor().newInstance());
        } catch (ClassNotFoundException e) {
            throw failure(className, key, "there is no such class. Add its jar to the class path", e);
        } catch (ClassCastException e) {
            throw failure(className, key, "it does not implement " + type.getName() + ". Implement it", e);
        } catch (ReflectiveOperationException e) {
            throw failure(
                    className, key, "its public constructor without arguments is missing or failed. Repair it", e);
        }
    }

    private static GptqException failure(String className, String key, String reason, Exception cause) {
        String message = "Cannot use class %s as %s: %s, or change the key %s.".formatted(className, key, reason, key);
        return new GptqException(ErrorCode.BAD_INPUT, message, cause);
    }
}
