import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.ByteArrayInputStream;
import java.math.BigInteger;
import java.security.MessageDigest;
import java.security.PublicKey;
import java.security.Security;
import java.security.Signature;
import java.util.HexFormat;
import javax.smartcardio.Card;
import javax.smartcardio.CardChannel;
import javax.smartcardio.CardException;
import javax.smartcardio.CardTerminal;
import javax.smartcardio.TerminalFactory;
import net.sf.scuba.smartcards.CardService;
import net.sf.scuba.smartcards.CardServiceException;
import net.sf.scuba.smartcards.CommandAPDU;
import net.sf.scuba.smartcards.ResponseAPDU;
import org.bouncycastle.jce.provider.BouncyCastleProvider;
import org.jmrtd.BACKey;
import org.jmrtd.PACEKeySpec;
import org.jmrtd.PassportService;
import org.jmrtd.lds.CardAccessFile;
import org.jmrtd.lds.ChipAuthenticationInfo;
import org.jmrtd.lds.ChipAuthenticationPublicKeyInfo;
import org.jmrtd.lds.PACEInfo;
import org.jmrtd.lds.SecurityInfo;
import org.jmrtd.lds.icao.COMFile;
import org.jmrtd.lds.icao.DG14File;
import org.jmrtd.lds.icao.DG15File;
import org.jmrtd.lds.icao.DG1File;
import org.jmrtd.lds.icao.DG2File;
import org.jmrtd.lds.SODFile;

/**
 * Reads the document on the first PC/SC reader with JMRTD, an independent implementation,
 * and prints what was done and the SHA-256 of each file. Arguments: number, date of birth,
 * date of expiry, as in the machine-readable zone of a specimen.
 */
public class Read {
  public static void main(String[] args) throws Exception {
    Security.insertProviderAt(new BouncyCastleProvider(), 1);
    PassportService service = new PassportService(new Pcsc(terminal()), PassportService.EXTENDED_MAX_TRANCEIVE_LENGTH, 256, 223, false, true);
    service.open();
    BACKey key = new BACKey(args[0], args[1], args[2]);
    boolean opened = pace(service, key);
    service.sendSelectApplet(opened);
    if (!opened) {
      service.doBAC(key);
      System.out.println("opened BAC");
    }
    new COMFile(new ByteArrayInputStream(file(service, "COM", PassportService.EF_COM)));
    SODFile sod = new SODFile(new ByteArrayInputStream(file(service, "SOD", PassportService.EF_SOD)));
    if (sod.getDataGroupHashes().containsKey(14)) {
      chipAuthentication(service, new DG14File(new ByteArrayInputStream(file(service, "DG14", PassportService.EF_DG14))));
    }
    new DG1File(new ByteArrayInputStream(file(service, "DG1", PassportService.EF_DG1)));
    new DG2File(new ByteArrayInputStream(file(service, "DG2", PassportService.EF_DG2)));
    if (sod.getDataGroupHashes().containsKey(15)) {
      activeAuthentication(service, new DG15File(new ByteArrayInputStream(file(service, "DG15", PassportService.EF_DG15))).getPublicKey());
    }
    service.close();
  }

  static CardTerminal terminal() throws Exception {
    for (int i = 0; i < 100; i++) {
      for (CardTerminal t : TerminalFactory.getDefault().terminals().list()) {
        if (t.isCardPresent()) {
          return t;
        }
      }
      Thread.sleep(100);
    }
    throw new IllegalStateException("no document on any reader");
  }

  static boolean pace(PassportService service, BACKey key) throws Exception {
    CardAccessFile access;
    try {
      access = new CardAccessFile(service.getInputStream(PassportService.EF_CARD_ACCESS, 223));
    } catch (CardServiceException none) {
      return false;
    }
    for (SecurityInfo info : access.getSecurityInfos()) {
      if (info instanceof PACEInfo) {
        PACEInfo p = (PACEInfo) info;
        service.doPACE(PACEKeySpec.createMRZKey(key), p.getObjectIdentifier(), PACEInfo.toParameterSpec(p.getParameterId()), p.getParameterId());
        System.out.println("opened " + p.getObjectIdentifier());
        return true;
      }
    }
    return false;
  }

  static void chipAuthentication(PassportService service, DG14File dg14) throws Exception {
    for (ChipAuthenticationPublicKeyInfo k : dg14.getChipAuthenticationPublicKeyInfos()) {
      for (ChipAuthenticationInfo i : dg14.getChipAuthenticationInfos()) {
        BigInteger id = k.getKeyId();
        if (id == null || id.equals(i.getKeyId())) {
          service.doEACCA(id, i.getObjectIdentifier(), k.getObjectIdentifier(), k.getSubjectPublicKey());
          System.out.println("proved CA");
          return;
        }
      }
    }
  }

  static void activeAuthentication(PassportService service, PublicKey key) throws Exception {
    byte[] challenge = {1, 2, 3, 4, 5, 6, 7, 8};
    byte[] answer = service.doAA(key, "SHA-256", "SHA256withECDSA", challenge).getResponse();
    if (!key.getAlgorithm().startsWith("EC")) { // its signature is for the caller to check
      System.out.println("answered AA " + answer.length);
      return;
    }
    Signature s = Signature.getInstance("SHA256withPLAIN-ECDSA", "BC");
    s.initVerify(key);
    s.update(challenge);
    if (!s.verify(answer)) {
      throw new IllegalStateException("active authentication: wrong signature");
    }
    System.out.println("proved AA");
  }

  static byte[] file(PassportService service, String name, short id) throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (InputStream in = service.getInputStream(id, 223)) {
      in.transferTo(out);
    }
    System.out.println("file " + name + " " + HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(out.toByteArray())));
    return out.toByteArray();
  }

  /** JMRTD's card service over the JDK's PC/SC. */
  static class Pcsc extends CardService {
    private final CardTerminal terminal;
    private Card card;
    private CardChannel channel;

    Pcsc(CardTerminal terminal) {
      this.terminal = terminal;
    }

    @Override
    public void open() throws CardServiceException {
      try {
        card = terminal.connect("*");
        channel = card.getBasicChannel();
        state = SESSION_STARTED_STATE;
      } catch (CardException e) {
        throw new CardServiceException("connect", e);
      }
    }

    @Override
    public boolean isOpen() {
      return card != null;
    }

    @Override
    public ResponseAPDU transmit(CommandAPDU command) throws CardServiceException {
      try {
        return new ResponseAPDU(channel.transmit(new javax.smartcardio.CommandAPDU(command.getBytes())).getBytes());
      } catch (CardException e) {
        throw new CardServiceException("transmit", e);
      }
    }

    @Override
    public byte[] getATR() {
      return card.getATR().getBytes();
    }

    @Override
    public boolean isExtendedAPDULengthSupported() {
      return true;
    }

    @Override
    public void close() {
      try {
        card.disconnect(true);
      } catch (CardException e) {
        // it is gone already
      }
    }

    @Override
    public boolean isConnectionLost(Exception e) {
      return false;
    }
  }
}
